// Single connections: which are listed, whose addresses are real, and what is left when packets are gone.
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

describe("resets before any answer only", () => {
  const listed = (query: string): Promise<ConnectionsAnswer> => api<ConnectionsAnswer>(looked.page, `${DATA}/connections?dateRange=1d&limit=50&${query}`);

  it("leaves the connections that count as cut short", async () => {
    await looked.open("?view=connections&range=1d");
    await looked.page.getByRole("switch", { name: "Resets before any answer only" }).click();
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
    expect(await text(page, ".ladder-box figcaption")).toContain("not kept any more");
    expect(await page.locator(".ladder .when").count()).toBe(0);
    expect(await page.locator(".ladder").getAttribute("aria-label")).toMatch(/^From the client: SYN, then ACK, handshake complete, then PSH\+ACK, first message(, then .*)?, then RST\+ACK$/);
    expect(await text(page, ".explained")).toContain("Why it is judged so");
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
