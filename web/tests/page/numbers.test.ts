// The page shows the numbers that the API gives for the same question.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compact, count, percent } from "../../src/ui/format";
import type { GroupsAnswer, Meta, Status, TopRow } from "../../src/api/wire";
import { isoMinute } from "../../src/state/url";
import { api, type Looked, look, OUT, shown, text } from "./browser";

const DATA = "tcp_resets_timeouts";
const ANOMALOUS = ["post_syn", "post_ack", "post_psh", "later_in_flow"];
const plain = (shown: string): string => shown.replaceAll("\u202f", " ");
type Shares = Record<string, string>;

let looked: Looked;
beforeAll(async () => void (looked = await look()));
afterAll(() => looked.context.close());

const shares = async (query: string): Promise<{ shares: Shares; sampled: number }> => {
  const answer = await api<GroupsAnswer>(looked.page, `${DATA}/summary/stage?counts=true&${query}`);
  return { shares: answer["summary_0"] as Shares, sampled: answer.counts["summary_0"]?.total.sampled[0] ?? 0 };
};
const together = (own: Shares): number => ANOMALOUS.reduce((sum, stage) => sum + Number(own[stage]), 0);

describe("Overview", () => {
  it.each([
    ["?range=4w", "dateRange=4w"],
    ["?range=4w&place=PT", "dateRange=4w&location=PT"],
    ["?range=4w&place=continent-EU&handshake=completed", "dateRange=4w&continent=EU&handshake=completed"],
    ["?range=4w&resets=unanswered", "dateRange=4w&resets=unanswered"],
  ])("%s", async (page, query) => {
    await looked.open(page);
    const { shares: own, sampled } = await shares(query);
    expect(await text(looked.page, '[data-value="share"]')).toBe(plain(percent(together(own))));
    expect(await text(looked.page, '[data-value="sampled"]')).toBe(count(sampled));
    for (const stage of ANOMALOUS) expect(await text(looked.page, `[data-value="${stage}"]`)).toBe(plain(percent(Number(own[stage]))));
  });

  it("says how many connections there were, and how many of them were sampled", async () => {
    await looked.open("?range=7d");
    const { total } = (await api<GroupsAnswer>(looked.page, `${DATA}/summary/stage?counts=true&dateRange=7d`)).counts["summary_0"] ?? { total: { sampled: [], weight: [] } };
    const rate = (total.weight[0] ?? 0) / (total.sampled[0] ?? 1);
    expect(plain(await text(looked.page, ".total"))).toContain(plain(`About ${compact(total.weight[0] ?? 0)} connections; ${count(total.sampled[0] ?? 0)} sampled, 1 in ${rate}`));
  });

  it("greys a stage that a filter leaves out", async () => {
    await looked.open("?range=7d&handshake=completed");
    expect(await text(looked.page, ".card.out")).toContain("not counted with this filter");
    expect(await looked.page.locator(".card.out").count()).toBe(1);
  });

  it("says the change against the period before", async () => {
    await looked.open("?range=7d");
    const [now, before] = [await shares("dateRange=7d"), await shares("dateRange=7dcontrol")];
    const change = await text(looked.page, ".change");
    expect(change).toContain(plain(percent(together(before.shares))));
    const difference = together(now.shares) - together(before.shares);
    expect(change).toContain(Math.abs(difference) < 0.05 ? "no change" : `${Math.abs(difference).toFixed(1)} points`);
  });
});

describe("rankings", () => {
  const first = async (selector: string): Promise<string[]> =>
    (await looked.page.locator(`${selector} tbody tr`).first().locator("th, td").allTextContents()).map(plain);

  it.each([
    ["?view=where&range=4w&stage=post_ack", "locations", "stage=post_ack"],
    ["?view=networks&range=4w&place=CH", "ases", "location=CH"],
  ])("of completed handshakes: %s", async (page, what, query) => {
    await looked.open(page);
    const { top_0 } = await api<{ top_0: TopRow[] }>(looked.page, `${DATA}/top/${what}?dateRange=4w&limit=300&handshake=completed&${query}`);
    const all = await api<{ top_0: TopRow[] }>(looked.page, `${DATA}/top/${what}?dateRange=4w&limit=300&${query}`);
    const [row] = top_0;
    const code = (one: TopRow | undefined): unknown => one?.clientCountryAlpha2 ?? one?.clientASN;
    const cells = await first(".ranking");
    expect(cells[0]).toContain(row?.clientCountryName ?? row?.clientASName);
    expect(cells[1]).toContain(plain(percent(Number(row?.value))));
    expect(cells[2]).toBe(plain(percent(Number(all.top_0.find((one) => code(one) === code(row))?.value))));
    expect(cells[3]).toBe(count(row?.connections ?? 0));
  });

  it.each([
    ["?view=where&range=4w&stage=post_ack&rank=all", "locations", "stage=post_ack"],
    ["?view=networks&range=4w&place=CH&rank=all", "ases", "location=CH"],
    ["?view=where&range=4w&stage=post_syn", "locations", "stage=post_syn"],
  ])("of all connections: %s", async (page, what, query) => {
    await looked.open(page);
    const answer = await api<{ top_0: TopRow[] }>(looked.page, `${DATA}/top/${what}?dateRange=4w&limit=1&${query}`);
    const [row] = answer.top_0;
    const cells = await first(".ranking");
    expect(cells[0]).toContain(row?.clientCountryName ?? row?.clientASName);
    expect(cells[1]).toContain(plain(percent(Number(row?.value))));
    expect(cells[2]).toBe(plain(percent(Number(row?.completed.value))));
    expect(cells[3]).toBe(count(row?.connections ?? 0));
  });
});

it("sampled and estimated numbers are named as such", async () => {
  const { page } = looked;
  await looked.open("?range=7d&unit=count");
  expect(await text(page, "figure .sub")).toBe("Estimated connections per hour");
  expect(await text(page, ".ranks-head")).toBe("ShareSampled");
  await looked.open("?view=networks&range=7d");
  expect(plain(await text(page, ".cell-numbers"))).toMatch(/^[\d.]+ % of [\d.]+ ?k? sampled/);
});

it("a note of the operator is a mark on the chart, with its text below", async () => {
  const { page } = looked;
  const to = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const from = to - 3 * 86_400_000;
  const note = { dataSource: "ALL", description: "Changed the firewall", eventType: "GENERAL", isInstantaneous: false, linkedUrl: "https://example.org/change" };
  await page.route("**/timeseries_groups/stage?*", async (route) => {
    const answer = (await (await route.fetch()).json()) as { result: { meta: Meta } };
    answer.result.meta.confidenceInfo.annotations = [{ ...note, startDate: new Date(from + 3_600_000).toISOString(), endDate: new Date(from + 7_200_000).toISOString() }] as Meta["confidenceInfo"]["annotations"];
    await route.fulfill({ json: answer });
  });
  // Events that were found are marks, too.
  await page.route("**/cutshort/events?*", (route) => route.fulfill({ json: { success: true, result: { events: [] } } }));
  await looked.open(`?from=${isoMinute(from)}&to=${isoMinute(to)}`);
  expect(await page.locator(".figure .mark").count()).toBe(1);
  expect(await text(page, ".figure .mark-number")).toBe("1");
  expect(await text(page, ".mark-list li")).toMatch(/^Note .* 01:00 to 02:00 UTC: Changed the firewall$/);
  expect(await page.locator(".mark-list a").getAttribute("href")).toBe("https://example.org/change");
});

it.each([["networks", "ases"], ["where", "locations"]])("%s that are not ranked are counted apart", async (view, ranking) => {
  const { page } = looked;
  await page.route(`**/top/${ranking}?*`, async (route) => {
    const answer = (await (await route.fetch()).json()) as { result: { meta: Meta } };
    const [left] = answer.result.meta.ranked ?? [];
    if (left) left.unknownConnections = 321;
    await route.fulfill({ json: answer });
  });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await looked.open(`?view=${view}&range=7d&least=3000`);
  const { counts } = await api<GroupsAnswer>(page, `${DATA}/summary/stage?dateRange=7d&handshake=completed&counts=true`);
  const all = counts["summary_0"]?.total.sampled[0] ?? 0;
  const ranked = (await page.locator(".ranking tbody td:last-child").allTextContents()).reduce((sum, cell) => sum + Number(cell.replaceAll(",", "")), 0);
  const note = plain(await text(page, ".not-ranked"));
  expect(note).toContain(`Not ranked: ${count(all - ranked)} sampled (`);
  expect(note).toMatch(/with fewer than 3,000 each.*; 321 sampled \([\d.]+ %\) whose (network|country) is unknown\.$/);
  // The ranking says it; nothing else is asked for.
  expect(asked.filter((url) => /summary\/(as|location)\?/.test(url))).toEqual([]);
});

it("Compare shows each selection", async () => {
  await looked.open("?view=compare&range=4w&place=PT&with=CH");
  const rows = looked.page.locator("table.data tbody tr");
  for (const [at, place] of ["PT", "CH"].entries()) {
    const { shares: own, sampled } = await shares(`dateRange=4w&location=${place}`);
    const cells = (await rows.nth(at).locator("th, td").allTextContents()).map(plain);
    expect(cells.slice(1, 6)).toEqual([together(own), ...ANOMALOUS.map((stage) => Number(own[stage]))].map((share) => plain(percent(share))));
    expect(cells.at(-1)).toBe(count(sampled));
  }
});

it.each([["PT", /^Compare with.*(Spain|France|Germany|Italy)/], ["AS4200000139", /^Compare with.*\(CH\)/]])("Compare proposes what is around %s, whose chip cannot be removed", async (place, proposed) => {
  await looked.open(`?view=compare&range=7d&place=${place}`);
  expect(await text(looked.page, ".suggestions")).toMatch(proposed);
  expect(await looked.page.locator(".picker .chip button").count()).toBe(0);
  await looked.page.locator(".suggestions a").first().click();
  await shown(looked.page);
  expect(await looked.page.locator(".picker .chip button").count()).toBe(1);
  expect(new URL(looked.page.url()).searchParams.get("place")).toBe(place);
});

it("How shows signatures and tags", async () => {
  await looked.open("?view=how&range=4w");
  for (const by of ["signature", "tag"]) {
    const answer = await api<GroupsAnswer>(looked.page, `${DATA}/summary/${by}?dateRange=4w&counts=true`);
    const own = answer["summary_0"] as Shares;
    const terms = looked.page.locator(`figure:has([data-key="table:${by}s"]) .term`);
    for (const row of await terms.all()) {
      const name = by === "tag" ? ((await row.getAttribute("data-key")) ?? "").replace("term:tag-", "") : ((await row.locator(".term-name").textContent()) ?? "");
      expect(plain((await row.locator(".number").first().textContent()) ?? ""), name).toBe(plain(percent(Number(own[name]))));
    }
    expect(await terms.count()).toBe(Object.keys(own).filter((name) => name !== "none").length);
  }
});

it("How has the numbers of an opened term in a table", async () => {
  await looked.open("?view=how&range=4w&term=tag-zmap");
  await looked.page.locator(".term-detail .tabled summary").click();
  const answer = await api<GroupsAnswer>(looked.page, `${DATA}/timeseries_groups/tag?dateRange=4w&counts=true`);
  const shares = (answer["serie_0"] as Record<string, string[]>)["zmap"] ?? [];
  const rows = looked.page.locator(".term-detail table.data tbody tr");
  expect(await rows.count()).toBe(shares.length);
  expect(plain((await rows.nth(5).locator("td").first().textContent()) ?? "")).toBe(plain(percent(Number(shares[5]))));
});

it("How has its small lines in words, too", async () => {
  await looked.open("?view=how&range=4w");
  const answer = await api<GroupsAnswer>(looked.page, `${DATA}/timeseries_groups/tag?dateRange=4w&counts=true`);
  const shares = ((answer["serie_0"] as Record<string, string[]>)["zmap"] ?? []).map(Number);
  const words = plain((await looked.page.locator('[data-key="term:tag-zmap"] .spark').getAttribute("aria-label")) ?? "");
  expect(words).toMatch(new RegExp(`^Share over time: ${plain(percent(shares[0] ?? NaN))} on .*, ${plain(percent(shares.at(-1) ?? NaN))} on .*; lowest ${plain(percent(Math.min(...shares)))} on .*, highest ${plain(percent(Math.max(...shares)))} on `));
  for (const line of await looked.page.locator(".spark").all()) expect(await line.getAttribute("aria-label")).toMatch(/lowest .*, highest /);
});

it("Status shows what there is", async () => {
  await looked.open("?view=status");
  const status = await api<Status>(looked.page, "status");
  const steps = await text(looked.page, ".steps");
  expect(steps).toContain(`${count(status.store.packets)} packets`);
  expect(steps).toContain(`${count(status.windows.connections)} connections`);
  expect(await text(looked.page, "footer")).toContain(`cutshort ${status.version}`);
  expect(await looked.page.title()).toBe("Status · cutshort");
});

it("Compare sets six selections beside each other, and over each other", async () => {
  const query = "?view=compare&range=7d&place=PT&with=CH,US,DE,FR,continent-EU&control=1";
  await looked.open(query);
  expect(await looked.page.locator(".pairs svg.chart").count()).toBe(6);
  expect(await looked.page.locator(".pairs svg.chart .before").count()).toBe(6);
  expect(await looked.page.locator("table.data tbody tr").count()).toBe(6);
  await looked.open(`${query}&layout=over`);
  expect(await looked.page.locator(".plot .series").count()).toBe(12);
  const [now, before] = [await shares("dateRange=7d&location=PT"), await shares("dateRange=7dcontrol&location=PT")];
  const cells = (await looked.page.locator("table.data tbody tr").first().locator("td").allTextContents()).map(plain);
  expect(cells[0]).toBe(plain(percent(together(now.shares))));
  expect(cells[5]).toBe(plain(percent(together(before.shares))));
});

it("rankings are sorted, and leave out small samples", async () => {
  await looked.open("?view=where&range=7d");
  const column = async (at: number): Promise<number[]> =>
    (await looked.page.locator(`.ranking tbody td:nth-of-type(${at})`).allTextContents()).map((cell) => Number(cell.replace(/[^\d.]/g, "")));
  await looked.page.locator('[data-key="sort:sampled"]').click();
  const sampled = await column(3);
  expect(sampled).toEqual([...sampled].sort((a, b) => b - a));
  await looked.page.locator(".least select").selectOption("10000");
  await looked.page.waitForFunction(() => location.search.includes("least=10000"));
  await looked.page.waitForSelector("#view:not([aria-busy])");
  const few = await column(3);
  expect(few.length).toBeGreaterThan(0);
  expect(few.length).toBeLessThan(sampled.length);
  expect(Math.min(...few)).toBeGreaterThanOrEqual(10000);
});

it("Connections shows the packets that were taken, and the reasons", async () => {
  await looked.open("?view=connections&range=1d&f.stage=post_ack");
  interface Single { src_ip: string; src_port: number; dst_ip: string; dst_port: number; first_us: number; packets: number }
  const { connections } = await api<{ connections: Single[] }>(looked.page, `${DATA}/connections?dateRange=1d&stage=post_ack&limit=1000`);
  const [one] = connections.sort((a, b) => b.first_us - a.first_us);
  if (!one) throw new Error("there is no connection");
  const time = new Date(one.first_us / 1000).toISOString();
  const traced = await api<{ packets: unknown[]; reasons: string[] }>(
    looked.page,
    `${DATA}/connections/trace?client=${one.src_ip}&clientPort=${one.src_port}&server=${one.dst_ip}&serverPort=${one.dst_port}&time=${time}`,
  );
  expect(await text(looked.page, "table.connections tbody tr")).toContain(`${one.src_ip.includes(":") ? `[${one.src_ip}]` : one.src_ip}:${one.src_port}`);
  await looked.page.locator('[data-key="connection:0"]').click();
  await looked.page.locator(".ladder .when").first().waitFor();
  expect(await looked.page.locator(".ladder .when").count()).toBe(traced.packets.length);
  for (const reason of traced.reasons) expect(await text(looked.page, ".explained")).toContain(reason);
  await looked.page.screenshot({ path: `${OUT}ladder-wide.png` });
});
