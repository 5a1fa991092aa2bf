import { describe, expect, it } from "vitest";
import { type Answer, readGroups } from "../../src/api/answers";
import type { Annotation, GroupsAnswer, Meta } from "../../src/api/wire";
import { remarkableDays, type Series, TOGETHER } from "../../src/views/events";
import { flowOf } from "../../src/views/flow";
import { stageTable } from "../../src/views/series";
import { notes, words } from "../../src/views/stood-out";

const meta: Meta = {
  confidenceInfo: { annotations: [], level: 5 },
  dateRange: [{ startTime: "2026-11-01T00:00:00Z", endTime: "2026-11-08T00:00:00Z" }],
  lastUpdated: "2026-11-08T00:00:00Z",
  normalization: "PERCENTAGE",
  units: [{ name: "*", value: "connections" }],
};

function summary(groups: Record<string, number>): GroupsAnswer {
  const whole = Object.values(groups).reduce((a, b) => a + b, 0);
  const columns = Object.entries(groups).map(([name, n]) => [name, { sampled: [n], weight: [n], low: ["0"], high: ["100"] }]);
  return {
    meta,
    summary_0: Object.fromEntries(Object.entries(groups).map(([name, n]) => [name, String((100 * n) / whole)])),
    counts: { summary_0: { total: { sampled: [whole], weight: [whole] }, groups: Object.fromEntries(columns) } },
  };
}

const read = (groups: Record<string, number>): Answer => readGroups(summary(groups));

describe("answers", () => {
  it("are read as numbers", () => {
    const { series, ranges } = read({ post_syn: 25, no_match: 75 });
    expect(ranges).toEqual([[Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 8)]]);
    expect(series[0]?.by.get("post_syn")).toMatchObject({ share: [25], sampled: [25] });
    expect(series[0]?.sampled).toEqual([100]);
  });
});

describe("the flow", () => {
  it("loses at each step what is cut short there, and ends with the rest", () => {
    const all = read({ post_syn: 20, post_ack: 10, post_psh: 5, later_in_flow: 5, no_match: 60 }).series[0];
    const completed = read({ post_ack: 10, post_psh: 5, later_in_flow: 5, no_match: 58 }).series[0];
    const parts = [{ reset: 15, timeout: 5 }, { timeout: 10 }, { reset: 5 }, { reset: 5 }, { fin: 50, open: 6, server_reset: 4 }];
    const ends: Answer = { meta, ranges: [], step: 0, series: parts.flatMap((part) => read(part).series) };
    const flow = all && flowOf(all, completed, ends);
    expect(flow?.steps.map(({ share }) => share)).toEqual([100, 78, 68, 63, 58]);
    expect(flow?.exits[0]).toMatchObject({ reset: 15, timeout: 5 });
    expect(flow?.ends.map(({ share }) => share)).toEqual([50, 6, 2]);
    expect(flow?.ends.reduce((sum, { share }) => sum + share, 0)).toBe(flow?.steps.at(-1)?.share);
  });
});

describe("days that stood out", () => {
  const usual = (code: string, change: Record<number, [number, number]> = {}): Series => {
    const days = Array.from({ length: 14 }, (_, day) => change[day] ?? [1000 + day, 200 + (day % 3)]);
    return { code, all: days.map(([all]) => all ?? 0), cut: days.map(([, cut]) => cut ?? 0) };
  };

  it("are none where every day is alike", () => expect(remarkableDays([usual("A")], 5)).toEqual([]));

  it("have much fewer connections, or another share", () => {
    const found = remarkableDays([usual("A"), usual("B", { 3: [50, 30], 4: [60, 30] }), usual("C", { 9: [1000, 400] })], 5);
    expect(found).toMatchObject([
      { code: "B", first: 3, last: 4, count: 50, share: 60 },
      { code: "C", first: 9, last: 9, share: 40 },
    ]);
  });

  it("are said once where they concern all places", () => {
    const flood: Record<number, [number, number]> = { 6: [2000, 1200] };
    const found = remarkableDays([usual("A", flood), usual("B", flood), usual("C", { ...flood, 2: [20, 4] }), usual("D")], 5);
    expect(found).toMatchObject([{ code: "C", first: 2 }, { code: TOGETHER, first: 6, count: 7006 }]);
  });

  it("are not those that were not collected", () => {
    const gap: [number, number] = [NaN, NaN];
    expect(remarkableDays([usual("A", { 0: gap, 1: gap, 7: gap }), usual("B", { 0: gap, 1: gap, 7: gap })], 5)).toEqual([]);
    const found = remarkableDays([usual("A", { 6: [50, 10], 7: gap, 8: [60, 12] })], 5);
    expect(found.map(({ first, last }) => [first, last])).toEqual([[6, 6], [8, 8]]);
  });

  it("are not looked for where there is little", () => {
    const few = { code: "D", all: [10, 10, 10, 1, 10, 10], cut: [1, 1, 1, 1, 1, 1] };
    expect(remarkableDays([few], 5)).toEqual([]);
  });
});

describe("what is said of a day", () => {
  const times = Array.from({ length: 14 }, (_, day) => Date.UTC(2026, 10, 1 + day));
  const plain = (text: string): string => text.replaceAll("\u202f", " ");
  const event = { code: "PT", first: 3, last: 3, count: 50, usualCount: 1000, share: 46, usualShare: 13, score: 4 };

  it("is both numbers, and the usual ones", () =>
    expect(plain(words(event, times))).toBe("50 connections a day, 46.0 % cut short. Typical: 1,000 connections a day, 13.0 % cut short."));

  it("is since when the state of today holds, where it is not an exception", () => {
    expect(plain(words({ ...event, first: 0, last: 7 }, times))).toBe("Since 9 Nov: about 1,000 connections a day, 13.0 % cut short. Before: 50 connections a day, 46.0 % cut short.");
    expect(plain(words({ ...event, first: 9, last: 13 }, times))).toMatch(/^Since 10 Nov: about 50 connections a day, .* Before: 1,000 connections a day/);
    expect(plain(words({ ...event, first: 3, last: 9 }, times))).toMatch(/^Peak day: 50 /);
  });

  it("has the notes on that place and about that time", () => {
    const note = (change: Partial<Annotation>): Annotation =>
      ({ locations: ["PT"], asns: [], startDate: "2026-11-13T00:00:00Z", endDate: "2026-11-14T00:00:00Z", description: "offline", ...change }) as Annotation;
    const [from, to] = [Date.UTC(2026, 10, 13), Date.UTC(2026, 10, 14)];
    expect(notes([note({})], "PT", from, to)).toEqual(["Noted: offline"]);
    expect(notes([note({})], "ES", from, to)).toEqual([]);
    expect(notes([note({ locations: [] })], TOGETHER, from, to)).toEqual(["Noted: offline"]);
    expect(notes([note({ startDate: "2026-10-01T00:00:00Z", endDate: "2026-12-01T00:00:00Z" })], "PT", from, to)).toEqual([]);
    expect(notes([note({ startDate: "2026-11-14T00:00:00Z", endDate: null })], "PT", from, to)).toEqual([]);
  });
});

describe("a file with counts", () => {
  const labels = (weight: number): string[] => {
    const answer = summary({ post_syn: 1, no_match: 3 });
    const total = answer.counts["summary_0"]?.total;
    if (total) total.weight = [weight];
    const [groups] = readGroups(answer).series;
    return groups ? stageTable(groups, true).columns.map(({ label }) => label) : [];
  };

  it("says which are estimated and which were sampled", () => {
    expect(labels(400).slice(1)).toEqual(["Post-SYN (estimated)", "Post-ACK (estimated)", "Post-PSH (estimated)", "Later (estimated)", "None (estimated)", "All (estimated)", "All (sampled)"]);
    expect(labels(4).slice(1)).toEqual(["Post-SYN", "Post-ACK", "Post-PSH", "Later", "None", "All", "All (sampled)"]);
  });
});
