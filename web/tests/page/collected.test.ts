// What was not collected is not zero: in charts and comparisons.
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Coverage, GroupsAnswer, Status } from "../../src/api/wire";
import { dates } from "../../src/ui/format";
import { api, type Looked, look, OUT, text } from "./browser";

const QUARTER = 900_000;
const HOUR = 4 * QUARTER;
const DAY = 24 * HOUR;
const DATA = "tcp_resets_timeouts";

let looked: Looked;
beforeAll(async () => void (looked = await look()));
afterEach(() => looked.page.unrouteAll({ behavior: "ignoreErrors" }));
afterAll(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const plain = (said: string): string => said.replaceAll("\u202f", " ");
const iso = (time: number): string => new Date(time).toISOString();
const summary = (query: string): Promise<GroupsAnswer> => api<GroupsAnswer>(looked.page, `${DATA}/summary/stage?counts=true&${query}`);

/** Changes what the server answers. */
const answered = <T>(pattern: string | RegExp, change: (result: T) => void): Promise<unknown> =>
  looked.page.route(pattern, async (route) => {
    const answer = (await (await route.fetch()).json()) as { result: T };
    change(answer.result);
    await route.fulfill({ json: answer });
  });

describe("a comparison", () => {
  it.each([
    ["?range=1d", "dateRange=1dcontrol", "the same 24 h last week"],
    ["?range=7d", "dateRange=7dcontrol", "the previous 7 days"],
  ])("names the time that it is with: %s", async (page, query, name) => {
    await looked.open(page);
    const [range] = (await summary(query)).meta.dateRange;
    const [from, to] = [Date.parse(range?.startTime ?? ""), Date.parse(range?.endTime ?? "")];
    expect(await text(looked.page, ".change")).toContain(`in ${name} (${dates(from, to, Date.now())})`);
  });

  it("of a short time names it, too, and the file of Compare", async () => {
    const from = Math.floor(Date.now() / DAY) * DAY - 2 * DAY + 13 * HOUR;
    await looked.open(`?from=${iso(from)}&to=${iso(from + QUARTER)}`);
    expect(await text(looked.page, ".change")).toContain(`the same 15 min 1 week earlier (${dates(from - 7 * DAY, from - 7 * DAY + QUARTER, from)})`);
    await looked.open("?view=compare&place=PT&with=CH&range=1d&control=1&layout=over");
    expect(await text(looked.page, ".tools .toggle")).toBe("Same 24 h last week");
    expect(await text(looked.page, ".legend:has(.swatch.hollow)")).toContain("Portugal, 1 week earlier");
  });

  it("is not made with a time that has next to no data", async () => {
    await looked.open("?range=4w");
    expect(plain(await text(looked.page, ".change"))).toMatch(/^No comparison: (only [\d.]+ % of|there is no data for) the previous 4 weeks \(.*\)( has data)?\.$/);
    expect((await looked.page.locator(".card-change").allTextContents()).join("")).toBe("");
    await looked.open("?view=compare&place=PT&with=CH&range=4w&control=1&layout=over");
    expect(await looked.page.locator(".series.dashed").count()).toBe(0);
    expect(await text(looked.page, "#view")).toContain("No comparison: ");
    await looked.open("?view=compare&place=PT&with=CH&range=4w&control=1");
    expect(await looked.page.locator("path.before").count()).toBe(0);
  });
});

describe("pieces of time that are not whole", () => {
  /** As if the hour before `to` had three quarters only, and nothing came after it. */
  const cutShort = async (to: number): Promise<void> => {
    await answered<Status>("**/radar/status", (status) => void (status.windows.to = iso(to - QUARTER)));
  };

  it.each(["", "&unit=count"])("look unlike the rest, and say so%s", async (unit) => {
    // The last whole hour is the last of the range, whatever time it is.
    const to = Math.floor(Date.now() / HOUR) * HOUR;
    await cutShort(to);
    await looked.open(`?from=${iso(to - 7 * DAY)}&to=${iso(to)}${unit}`);
    const { page } = looked;
    expect(await page.locator(".area.partial").count()).toBeGreaterThan(0);
    expect(await page.locator(".partial-edge").first().isVisible()).toBe(true);
    expect(await text(page, ".cut")).toContain("incomplete (dashed)");
    const box = await page.locator(".partial-edge").last().boundingBox();
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 5);
    expect(plain(await text(page, ".plot .tip"))).toContain("Incomplete: 45 min of 1 h");
    await page.screenshot({ path: `${OUT}incomplete${unit}.png` });
  });

  it("are drawn when they are, and days as steps", async () => {
    const to = Math.floor(Date.now() / DAY) * DAY + 6 * HOUR - DAY;
    await looked.open(`?view=compare&place=IS&with=NZ&handshake=completed&layout=over&from=${iso(to - 7 * DAY)}&to=${iso(to)}`);
    expect(await text(looked.page, "figure .sub")).toContain("per day");
    const xs = async (selector: string): Promise<number[]> => ((await looked.page.locator(selector).first().getAttribute("d")) ?? "").split(/[ML]/).filter(Boolean).map((point) => Number(point.split(",")[0]));
    const [whole, width] = [await xs(".series.hue-0"), (await looked.page.locator(".plot svg").boundingBox())?.width ?? 0];
    const day = (width - 64) / 7;
    // 18 hours of the first day, and then a step for each day.
    expect(whole[0]).toBeCloseTo(52 + day * 0.75, 0);
    expect((whole[1] ?? 0) - (whole[0] ?? 0)).toBeCloseTo(day, 0);
    expect(whole[2]).toBe(whole[1]);
  });

  it("by themselves are as wide as they are", async () => {
    const from = Math.floor(Date.now() / DAY) * DAY - 2 * DAY + 13 * HOUR;
    await looked.open(`?from=${iso(from)}&to=${iso(from + QUARTER)}`);
    const [area, chart] = [await looked.page.locator(".areas .area").first().boundingBox(), await looked.page.locator(".plot svg").first().boundingBox()];
    expect(area?.width ?? 0).toBeGreaterThan(0.9 * ((chart?.width ?? Infinity) - 64));
  });
});

describe("what was not collected", () => {
  const at = Math.floor(Date.now() / DAY) * DAY - 3 * DAY;

  it("is hatched and said, also in pictures, and few connections are pale", async () => {
    const { page } = looked;
    await answered<GroupsAnswer>(/timeseries_groups\/stage/, ({ meta }) => {
      const [own] = (meta as unknown as { coverage: Coverage[] }).coverage;
      own?.gaps.push({ startTime: iso(at), endTime: iso(at + 5 * HOUR), nothing: true, missing: ["edge1"] });
      own?.nodes.forEach((node) => node.name === "edge1" && Object.assign(node, { missing: "12.5" }));
    });
    await looked.open("?place=IS&range=7d&step=1h");
    expect(await page.locator(".figure .hatched").count()).toBeGreaterThanOrEqual(1);
    expect(plain(await text(page, ".cut"))).toMatch(/Hatched: no data was collected \([56] h.* in all\)\. Pale, with the 95 % interval of the total as a band: fewer than 50 connections sampled\./);
    expect(plain(await page.locator(".headline").innerText())).toContain("Packets of edge1 are missing for 12.5 % of this time.");
    expect(await page.locator(".figure .few").count()).toBeGreaterThan(0);
    const [band, few] = [await page.locator(".figure .uncertain").first().boundingBox(), await page.locator(".figure .few").first().boundingBox()];
    expect(Math.abs((band?.x ?? 0) - (few?.x ?? NaN))).toBeLessThan(10);
    expect(band?.height ?? 0).toBeGreaterThan(10);
    await page.screenshot({ path: `${OUT}hatched.png` });
    await page.locator('[data-key="share:stages"]').click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator('.menu[open] [data-format="svg"]').click()]);
    const svg = readFileSync(await file.path()).toString();
    expect(svg).toContain("<pattern");
    expect(svg).toContain("Hatched: no data was collected");
  });

  it("is said by a finger on it", async () => {
    const narrow = await look({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true });
    await narrow.page.route(/timeseries_groups\/stage/, async (route) => {
      const answer = (await (await route.fetch()).json()) as { result: GroupsAnswer };
      const [own] = (answer.result.meta as unknown as { coverage: Coverage[] }).coverage;
      own?.gaps.push({ startTime: iso(at - DAY), endTime: iso(at + DAY), nothing: true, missing: [] });
      await route.fulfill({ json: answer });
    });
    await narrow.open("?range=7d");
    await narrow.page.locator(".plot").first().scrollIntoViewIfNeeded();
    const box = await narrow.page.locator(".hatched").first().boundingBox();
    await narrow.page.touchscreen.tap((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 60);
    await expect.poll(() => narrow.page.locator(".plot .tip").first().textContent()).toContain("No data was collected");
    await narrow.context.close();
  });
});

it("that rare ports are counted together is said where ports are asked for", async () => {
  await answered<GroupsAnswer>(/\/(timeseries_groups|summary)\/stage/, ({ meta }) => void Object.assign(meta, { portsFolded: true, networksFolded: true }));
  const said = async (query: string): Promise<string> => {
    await looked.open(query);
    return (await looked.page.locator(".caution").allTextContents()).join(" ");
  };
  expect(await said("?range=7d")).not.toMatch(/rare ports|small networks/);
  expect(await said("?view=how&range=7d")).not.toMatch(/rare ports|small networks/);
  expect(await said("?range=7d&f.port=443")).toMatch(/rare ports are grouped as “other”/);
  expect(await said("?view=servers&range=7d&by=port")).toMatch(/rare ports are grouped as “other”/);
  expect(await said("?place=AS4200000139&range=7d")).toMatch(/small networks are grouped as “other”/);
});

it("files hold counts where counts are shown", async () => {
  const { page } = looked;
  await looked.open("?place=CH&range=7d&unit=count");
  const interval = (await text(page, "figure .sub")).endsWith("day") ? "1d" : "1h";
  const answer = await api<GroupsAnswer>(page, `${DATA}/timeseries_groups/stage?dateRange=7d&location=CH&counts=true&aggInterval=${interval}`);
  const { groups, total } = answer.counts["serie_0"] ?? { groups: {}, total: { sampled: [], weight: [] } };
  const file = async (format: string): Promise<string> => {
    await page.locator('[data-key="share:stages"]').click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`.menu[open] [data-format="${format}"]`).click()]);
    return readFileSync(await download.path(), "utf8");
  };
  const [head = "", ...rows] = (await file("csv")).trimEnd().split("\r\n").filter((line) => !line.startsWith("#"));
  expect(head).toBe("Time (UTC),Post-SYN (estimated),Post-ACK (estimated),Post-PSH (estimated),Later (estimated),None (estimated),All (estimated),All (sampled)");
  expect(rows[3]?.split(",").slice(1).map(Number)).toEqual([...["post_syn", "post_ack", "post_psh", "later_in_flow", "no_match"].map((stage) => groups[stage]?.weight[3]), total.weight[3], total.sampled[3]]);
  const { rows: parsed } = JSON.parse(await file("json")) as { rows: Record<string, number>[] };
  expect(parsed[3]?.["Post-ACK (estimated)"]).toBe(groups["post_ack"]?.weight[3]);
  await page.locator('[data-key="table:stages"]').click();
  expect(await text(page, "figure table tbody tr")).not.toContain("%");
});
