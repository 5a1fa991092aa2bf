// "Is it us or them?": servers, ports and IP versions against each other.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GroupsAnswer, Status } from "../../src/api/wire";
import { api, type Looked, look, OUT, shown, text } from "./browser";

let looked: Looked;
const plain = (given: string): string => given.replaceAll("\u202f", " ");

/** Has a server's connections cut short after the handshake, as if something was wrong with it. */
async function breakServer(name: string): Promise<void> {
  await looked.page.route("**/summary/stage?*node=edge*", async (route) => {
    const answer = (await (await route.fetch()).json()) as { result: GroupsAnswer };
    const at = new URL(route.request().url()).searchParams.getAll("node").indexOf(name);
    const counts = answer.result.counts[`summary_${at}`];
    const { post_ack: hit, no_match: rest } = counts?.groups ?? {};
    if (hit && rest) hit.sampled = [(hit.sampled[0] ?? 0) + Math.floor((rest.sampled[0] ?? 0) / 2)];
    await route.fulfill({ json: answer });
  });
}

describe("the Servers view", () => {
  beforeEach(async () => void (looked = await look()));
  afterEach(async () => {
    const { problems } = looked;
    await looked.context.close();
    expect(problems).toEqual([]);
  });

  it("says that servers agree and networks do not, with numbers", async () => {
    const { page } = looked;
    // A fixed time: the last 7 days are others when a window ends in between.
    const end = Math.floor(Date.now() / 900_000) * 900_000;
    const [from, to] = [end - 7 * 86_400_000, end].map((time) => `${new Date(time).toISOString().slice(0, 16)}Z`);
    await looked.open(`?view=servers&from=${from}&to=${to}`);
    expect(await text(page, "[data-value=verdict]")).toMatch(/^All three servers agree; .*networks differ.*: look at them\.$/);
    const { nodes } = await api<Status>(page, "status");
    const { counts } = await api<GroupsAnswer>(page, `tcp_resets_timeouts/summary/node?dateStart=${from}&dateEnd=${to}&handshake=completed&counts=true`);
    const n = counts["summary_0"]?.total.sampled[0] ?? 0;
    expect(plain((await page.locator(".verdict dd").first().textContent()) ?? "")).toMatch(new RegExp(`^All 3 servers agree: [\\d.]+ % to [\\d.]+ % \\(n = ${n.toLocaleString("en")}\\)`));
    expect(await page.locator(".multiples .cell h3").allTextContents()).toEqual(expect.arrayContaining(nodes.map(({ name }) => name)));
    expect(plain((await page.locator(".cell-numbers").first().textContent()) ?? "")).toMatch(/^[\d.]+ % \([\d.]+ % to [\d.]+ %\) of/);
    const rows = page.locator(".ranking tbody tr");
    expect(await rows.count()).toBe(nodes.length);
  });

  it("points at the server that differs", async () => {
    const { page } = looked;
    await breakServer("edge3");
    await looked.open("?view=servers&range=7d");
    expect(await text(page, "[data-value=verdict]")).toBe("edge3 differs from the other two: look at it.");
    await page.screenshot({ path: `${OUT}servers-differ.png`, fullPage: true });
    await page.locator('[data-key="apart:node:edge3"]').click();
    await shown(page);
    expect(new URL(page.url()).searchParams.get("f.node")).toBe("edge3");
  });

  it.each([["Ports", "by=port", "Port 443"], ["IP versions", "by=ip_version", "IPv6"]])("has %s, too", async (button, query, name) => {
    const { page } = looked;
    await looked.open("?view=servers&range=7d");
    await page.getByRole("button", { name: button, exact: true }).click();
    await page.waitForFunction((query) => location.search.includes(query), query);
    await shown(page);
    expect(await page.locator(".ranking tbody th").allTextContents()).toContain(name);
    expect(await page.locator(".multiples .cell h3").allTextContents()).toContain(name);
  });

  it("compares all connections where that is asked for", async () => {
    const { page } = looked;
    await looked.open("?view=servers&range=7d");
    expect(await text(page, "figure .sub")).toContain("Share of completed handshakes");
    await page.getByRole("switch", { name: "Rank all connections" }).click();
    await page.waitForFunction(() => location.search.includes("rank=all"));
    await shown(page);
    expect(await text(page, "figure .sub")).toContain("Share of connections");
  });
});

it("is read by a finger", async () => {
  looked = await look({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true });
  const { page } = looked;
  await looked.open("?view=servers&range=7d");
  const chart = page.locator(".cell .plot svg").first();
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  await page.touchscreen.tap((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 50);
  await expect.poll(() => page.locator(".cell .tip").first().isVisible()).toBe(true);
  expect(await text(page, ".cell .tip")).toMatch(/UTC.*%/);
  await looked.context.close();
});
