// Single connections: which are listed, whose addresses are real, and what is left when packets are gone.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ConnectionsAnswer } from "../../src/api/wire";
import { isoMinute } from "../../src/state/url";
import { api, type Looked, look, OUT, shown, text } from "./browser";

const DATA = "tcp_resets_timeouts";
const HOUR = 3_600_000;

let looked: Looked;
beforeEach(async () => void (looked = await look()));
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const times = async (): Promise<string[]> => looked.page.locator('[data-key^="connection:"]').allTextContents();
const ends = async (): Promise<string[]> => looked.page.locator("table.connections tbody tr:not([hidden]) td:nth-of-type(4)").allTextContents();
const clients = (found: ConnectionsAnswer): string[] => found.connections.map(({ src_ip, src_port }) => (src_ip.includes(":") ? `[${src_ip}]:${src_port}` : `${src_ip}:${src_port}`));

/** What the first page lists. */
const listed = (query: string): Promise<ConnectionsAnswer> => api<ConnectionsAnswer>(looked.page, `${DATA}/connections?dateRange=1d&limit=50&${query}`);

describe("the list", () => {
  const first = async (): Promise<number[]> => {
    const { connections } = await listed("stage=post_syn,post_ack,post_psh,later_in_flow");
    expect(await ends()).toEqual(clients({ connections } as ConnectionsAnswer));
    return connections.map(({ first_us }) => first_us);
  };

  it("has those that were cut short, the newest first, and is sorted by any column", async () => {
    const { page } = looked;
    await looked.open("?view=connections&range=1d");
    const newest = await first();
    expect(newest).toEqual([...newest].sort((a, b) => b - a));
    expect(await text(page, "figure h2")).toBe("Connections cut short, newest first");
    expect(await page.locator('th[aria-sort="descending"]').textContent()).toContain("Time");
    await page.locator('[data-key="sort:packets"]').click();
    await page.waitForFunction(() => location.search.includes("sort=-packets"));
    await shown(page);
    const packets = async (): Promise<number[]> => (await page.locator("table.connections tbody tr:not([hidden]) td.number").allTextContents()).map(Number);
    const most = await packets();
    expect(most).toEqual([...most].sort((a, b) => b - a));
    await page.locator('[data-key="sort:packets"]').click();
    await page.waitForFunction(() => location.search.includes("sort=packets"));
    await shown(page);
    const least = await packets();
    expect(least).toEqual([...least].sort((a, b) => a - b));
    expect(most.at(-1)).toBeGreaterThan(least.at(-1) ?? Infinity);
    await page.locator('[data-key="sort:packets"]').click();
    await page.waitForFunction(() => location.search.includes("sort=-packets"));
    await shown(page);
    await page.locator(".filters select").first().selectOption("all");
    await page.waitForFunction(() => location.search.includes("f.stage=all"));
    await shown(page);
    expect(await text(page, "figure h2")).toBe("Connections");
    // Over the whole range: of hundreds of thousands.
    expect(await ends()).toEqual(clients(await listed("orderBy=packets")));
    expect(await text(page, "figure .sub")).toContain("all connections of this period");
    await page.screenshot({ path: `${OUT}connections-sorted.png` });
  });

  it("goes from the oldest to the newest", async () => {
    const { page } = looked;
    const [to, from] = [Math.floor(Date.now() / HOUR) * HOUR - 24 * HOUR, Math.floor(Date.now() / HOUR) * HOUR - 48 * HOUR];
    await looked.open(`?view=connections&from=${isoMinute(from)}&to=${isoMinute(to)}&sort=time`);
    expect(await text(page, "figure h2")).toBe("Connections cut short, oldest first");
    const range = `dateStart=${isoMinute(from)}&dateEnd=${isoMinute(to)}&stage=post_syn,post_ack,post_psh,later_in_flow&limit=50`;
    const { connections } = await api<ConnectionsAnswer>(page, `${DATA}/connections?${range}&orderBy=time&direction=asc`);
    expect(await ends()).toEqual(clients({ connections } as ConnectionsAnswer));
    expect((connections[0]?.first_us ?? 0) / 1000 - from).toBeLessThan(60_000);
  });

  it("says why an order is not given, and what is", async () => {
    const { page } = looked;
    await page.route(`**/${DATA}/connections?*orderBy=packets*`, (route) => route.fulfill({ status: 422, json: { success: false, errors: [{ code: 2002, message: "orderBy: this range has 9000000 connections" }], result: {} } }));
    await looked.open("?view=connections&range=1d&sort=-packets");
    expect(await text(page, "#view .problem")).toContain("9000000 connections");
    await page.locator('[data-key="newest-first"]').click();
    await shown(page);
    expect(await text(page, "figure h2")).toBe("Connections cut short, newest first");
    looked.problems.length = 0;
  });

  it("is saved as Parquet", async () => {
    const { page } = looked;
    await looked.open("?view=connections&range=1d");
    await page.locator('[data-key="share:connections"]').click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator('[data-format="parquet"]').click()]);
    expect(file.suggestedFilename()).toMatch(/^cutshort-world-connections-.*\.parquet$/);
    const bytes = readFileSync((await file.path()) as string);
    expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(["PAR1", "PAR1"]);
  });

  it("is filtered by clicking a value", async () => {
    const { page } = looked;
    await looked.open("?view=connections&range=1d");
    for (const key of ["stage", "node", "port", "client"]) {
      const link = page.locator(`[data-key="only:${key}:0"]`);
      await link.click();
      await page.waitForFunction((key) => location.search.includes(`f.${key}=`), key);
      await shown(page);
      expect(await page.locator(`[data-key="unfilter:${key}"]`).count()).toBe(1);
    }
    expect(await page.locator('[data-key^="connection:"]').count()).toBeGreaterThan(0);
    const network = page.locator('[data-key="only:asn:0"]');
    const name = (await network.textContent())?.replace(/ AS\d+$/, "") ?? "";
    await network.click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await shown(page);
    await page.locator('[data-key="unfilter:client"]').click();
    await page.waitForFunction(() => !location.search.includes("f.client"));
  });

  it("keeps in the address which rows are open", async () => {
    const { page } = looked;
    const to = Math.floor((Date.now() - HOUR) / HOUR) * HOUR;
    await looked.open(`?view=connections&from=${isoMinute(to - HOUR)}&to=${isoMinute(to)}`);
    await page.locator('[data-key="connection:1"]').click();
    await page.waitForFunction(() => location.search.includes("open="));
    await looked.open(new URL(page.url()).search);
    const opened = page.locator('[data-key^="connection:"][aria-expanded="true"]');
    expect(await opened.getAttribute("data-key")).toBe("connection:1");
    await page.locator(".explained h3").waitFor();
    await opened.click();
    await page.waitForFunction(() => !location.search.includes("open="));
  });

  it("continues with older ones", async () => {
    const { page } = looked;
    await looked.open("?view=connections&range=1d");
    const before = await times();
    await page.locator('[data-key="older"]').click();
    await shown(page);
    const after = await times();
    expect(after.length).toBeGreaterThan(0);
    expect(after[0]).not.toBe(before[0]);
    await page.locator('[data-key="newer"]').click();
    await shown(page);
    expect(await times()).toEqual(before);
  });
});

it("opens and filters by a finger", async () => {
  await looked.context.close();
  looked = await look({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true });
  const { page } = looked;
  await looked.open("?view=connections&range=1d");
  await page.locator('[data-key="connection:0"]').tap();
  await page.locator(".explained .facts").waitFor();
  await page.locator('[data-key="only:client:facts"]').tap();
  await page.waitForFunction(() => location.search.includes("f.client="));
  await shown(page);
  expect(await page.locator('[data-key="unfilter:client"]').isVisible()).toBe(true);
});

describe("only resets before the first response", () => {

  it("leaves the connections that count as cut short", async () => {
    await looked.open("?view=connections&range=1d");
    await looked.page.getByRole("switch", { name: "Only resets before the first response" }).click();
    await shown(looked.page);
    const found = await listed("answered=false&stage=post_syn,post_ack,post_psh,later_in_flow");
    expect(await ends()).toEqual(clients(found));
    expect(found.connections.every(({ tags }) => !tags.includes("answered"))).toBe(true);
    expect(await text(looked.page, "#view > p")).toContain("resets only before any answer");
  });

  it("takes answered ones out of a stage", async () => {
    await looked.open("?view=connections&range=1d&f.stage=post_psh");
    const before = await times();
    await looked.open("?view=connections&range=1d&f.stage=post_psh&resets=unanswered");
    expect(await ends()).toEqual(clients(await listed("answered=false&stage=post_psh")));
    expect(await times()).not.toEqual(before);
  });

  it("does nothing to those that were not reset", async () => {
    await looked.open("?view=connections&range=1d&f.termination=fin&resets=unanswered");
    expect(await ends()).toEqual(clients(await listed("termination=fin")));
    expect(await text(looked.page, "#view > p")).toContain("leaves these connections as they are");
  });
});

it("marks addresses that are not the real ones, and says so", async () => {
  const { page } = looked;
  await looked.open("?view=connections&range=1d");
  expect(await page.locator(".protected, .mark-protected").count()).toBe(0);
  await page.route(`**/${DATA}/connections?*`, async (route) => {
    const answer = (await (await route.fetch()).json()) as { result: ConnectionsAnswer };
    answer.result.connections.forEach((one, at) => at % 2 && Object.assign(one, { addresses: "truncated" }));
    await route.fulfill({ json: answer });
  });
  await looked.open("?view=connections&range=1d");
  expect(await text(page, ".protected")).toMatch(/^Addresses that are marked are not the real ones: they were truncated to their networks \(\/24 of IPv4, \/48 of IPv6\)/);
  expect(await page.locator(".mark-protected").count()).toBe(25);
  await page.locator('[data-key="connection:1"]').click();
  await page.locator(".explained .facts").waitFor();
  expect(await text(page, ".explained .facts")).toContain("not the real ones: truncated");
  await page.screenshot({ path: `${OUT}protected-wide.png` });
});

describe("a connection whose packets are gone", () => {
  it("has what its verdict rests on, and says that these are not its packets", async () => {
    const { page } = looked;
    // The demo keeps packets of its last two hours.
    const now = Date.now();
    await looked.open(`?view=connections&from=${isoMinute(now - 30 * HOUR)}&to=${isoMinute(now - 29 * HOUR)}&f.signature=12`);
    // The server's refusal is no surprise here.
    await page.locator('[data-key="connection:0"]').click();
    await page.locator(".ladder").waitFor();
    expect(await text(page, ".ladder-box figcaption")).toContain("have expired");
    expect(await page.locator(".ladder .when").count()).toBe(0);
    expect(await page.locator(".ladder").getAttribute("aria-label")).toMatch(/^From the client: SYN, then ACK, handshake complete, then PSH\+ACK, first message(, then .*)?, then RST\+ACK$/);
    expect(await text(page, ".explained")).toContain("Why this verdict");
    expect(await text(page, ".explained dt")).toBe("Post-PSH");
    await page.screenshot({ path: `${OUT}ladder-gone-wide.png` });
    expect(looked.problems.splice(0)).toEqual([expect.stringContaining("404")]);
  });

  it("says what the server says where that is the reason", async () => {
    const { page } = looked;
    await page.route("**/connections/trace?*", (route) => route.fulfill({ status: 422, json: { success: false, errors: [{ code: 2002, message: "the packets of this window take 90 MB" }], result: null } }));
    await looked.open("?view=connections&range=1d&f.stage=post_ack");
    await page.locator('[data-key="connection:0"]').click();
    await page.locator(".ladder").waitFor();
    expect(await text(page, ".ladder-box figcaption")).toContain("cannot be shown: the packets of this window take 90 MB");
    looked.problems.length = 0;
  });
});
