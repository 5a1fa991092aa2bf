// Three strangers with a question: each has the answer within three clicks, or one command.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ConnectionsAnswer } from "../../src/api/wire";
import { isoMinute } from "../../src/state/url";
import { api, type Looked, look, shown, text } from "./browser";

const DAY = 86_400_000;
const MOST_CLICKS = 3;

let looked: Looked;
let clicks: number;
beforeEach(async () => {
  clicks = 0;
  looked = await look();
});
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
  expect(clicks).toBeLessThanOrEqual(MOST_CLICKS);
});

const click = async (selector: string): Promise<void> => {
  clicks += 1;
  await looked.page.locator(selector).first().click();
  await shown(looked.page);
};
const parameter = (name: string): string | null => new URL(looked.page.url()).searchParams.get(name);
const plain = (given: string): string => given.replaceAll("\u202f", " ");

describe("the operator of five servers, who sees 12 % of connections die", () => {
  it("learns whether it is a server or a network: one click; which one: two; and its connections: three", async () => {
    const { page } = looked;
    await looked.open("");
    await click('[data-key="tab:servers"]');
    expect(await text(page, "[data-value=verdict]")).toMatch(/^All three servers agree; .*networks differ: look at them\.$/);
    const network = page.locator(".verdict .way").filter({ hasText: "Zero-Rating Mobile" }).first();
    const name = ((await network.textContent()) ?? "").replace(/^.*Look at /, "");
    clicks += 1;
    await network.click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await shown(page);
    expect(Number.parseFloat(await text(page, '[data-value="post_ack"]'))).toBeGreaterThan(45);
    await click('[data-key="tab:connections"]');
    expect(await text(page, "figure h2")).toBe("Connections cut short, newest first");
    expect(await page.locator(".connections tbody tr:not([hidden])").count()).toBeGreaterThan(0);
  });

  it("is pointed at a server that differs, and sees only its connections: two clicks", async () => {
    const { page } = looked;
    await page.route("**/summary/stage?*node=edge*", async (route) => {
      const answer = (await (await route.fetch()).json()) as { result: { counts: Record<string, { groups: Record<string, { sampled: number[] }> }> } };
      const at = new URL(route.request().url()).searchParams.getAll("node").indexOf("edge2");
      const { post_ack: hit, no_match: rest } = answer.result.counts[`summary_${at}`]?.groups ?? {};
      if (hit && rest) hit.sampled = [(hit.sampled[0] ?? 0) + Math.floor((rest.sampled[0] ?? 0) / 2)];
      await route.fulfill({ json: answer });
    });
    await looked.open("?range=1d");
    await click('[data-key="tab:servers"]');
    expect(await text(page, "[data-value=verdict]")).toBe("edge2 differs from the other two: look at it.");
    await click('[data-key="apart:node:edge2"]');
    expect(parameter("f.node")).toBe("edge2");
  });
});

describe("the researcher with captures", () => {
  /** An archive: the only data are three weeks old. */
  const archived = async (): Promise<[number, number]> => {
    const end = Math.floor(Date.now() / DAY) * DAY - 14 * DAY;
    const [from, to] = [end - DAY / 4, end];
    await looked.page.route("**/client/v4/radar/status", async (route) => {
      const answer = (await (await route.fetch()).json()) as { result: { windows: object } };
      Object.assign(answer.result.windows, { from: new Date(from).toISOString(), to: new Date(to).toISOString() });
      await route.fulfill({ json: answer });
    });
    return [from, to];
  };

  it.each(["", "?view=connections", "?view=how"])("opens where the data are, without a click: /%s", async (query) => {
    const { page } = looked;
    const [from, to] = await archived();
    await looked.open(query);
    expect([parameter("from"), parameter("to")]).toEqual([isoMinute(from), isoMinute(to)]);
    expect(await text(page, ".latest-note")).toContain("No data has come in during the last 7 days.");
    expect(await page.locator("#view .empty").count()).toBe(0);
  });

  it("comes from a signature to a connection, packet by packet, and why: three clicks", async () => {
    const { page } = looked;
    await looked.open("?view=how&range=1d");
    await click('[data-key^="term:signature-"]');
    await click('[data-key^="connections:signature-"]');
    expect(parameter("view")).toBe("connections");
    const signature = parameter("f.signature");
    const { connections } = await api<ConnectionsAnswer>(page, `tcp_resets_timeouts/connections?dateRange=1d&limit=1&signature=${signature}`);
    expect(connections.length).toBe(1);
    clicks += 1;
    await page.locator('[data-key="connection:0"]').click();
    await page.locator(".explained h3").waitFor();
    expect(await text(page, ".explained")).toContain("Why this verdict");
  });
});

describe("the analyst of a country", () => {
  it("finds when Portugal differed, by how much, and what others say: from its name, one click", async () => {
    const { page } = looked;
    await looked.open("?range=4w");
    await page.locator('[data-key="search"]').fill("Portugal");
    clicks += 1;
    await page.locator('[role="option"]', { hasText: "Portugal" }).first().click();
    await page.getByRole("heading", { level: 1, name: "Portugal" }).waitFor();
    await shown(page);
    const words = plain((await page.locator(".in-words").textContent()) ?? "");
    expect(words).toContain("Portugal");
    const links = await page.locator('.in-words a[href^="https://"]').evaluateAll((all) => all.map((one) => new URL((one as HTMLAnchorElement).href).host));
    for (const other of ["ooni", "ioda", "cloudflare"]) expect(links.some((host) => host.includes(other)), other).toBe(true);
  });

  it("sees the country's networks side by side: two clicks", async () => {
    const { page } = looked;
    await looked.open("?range=4w&place=CH");
    await click('[data-key="tab:networks"]');
    expect(await text(page, ".ranking tbody th")).toContain("Zero-Rating Mobile");
    expect(await page.locator(".cell .badge.above").count()).toBeGreaterThan(0);
    await click('.ranking tbody th a');
    await page.getByRole("heading", { level: 1, name: /Zero-Rating Mobile/ }).waitFor();
  });

  it("cites what is shown, with a time that stays: two clicks", async () => {
    const { page } = looked;
    await looked.open("?range=7d&place=PT");
    await click('[data-key^="share:"]');
    const citation = await page.getByLabel("Cite", { exact: true }).first().inputValue();
    expect(citation).toMatch(/Portugal.*Simulated data\..*place=PT&from=\d{4}-.*Z&to=/);
  });
});
