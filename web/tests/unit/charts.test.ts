import { describe, expect, it } from "vitest";
import { utcScale, valueScaleTo } from "../../src/charts/scale";
import { grid, middle, onGrid, outline, pieceAt, pieces, runs } from "../../src/charts/times";
import { inWords, smoothed } from "../../src/charts/lines";
import { marksOf } from "../../src/charts/marks";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe("pieces of time", () => {
  it("that are missing show as gaps", () => {
    const all = grid([0, 2 * HOUR], [0, 4 * HOUR], HOUR);
    expect(all.times).toEqual([0, HOUR, 2 * HOUR, 3 * HOUR]);
    expect(onGrid([7, 9], all)).toEqual([7, NaN, 9, NaN]);
  });

  it("begin with the range where that begins within one", () => {
    const start = 10 * HOUR;
    const all = grid([start, DAY], [start, 2 * DAY], DAY);
    expect(all).toEqual({ times: [start, DAY], from: [0, 1] });
    const parts = pieces(all, [start, DAY + 6 * HOUR], DAY);
    expect(parts.map(middle)).toEqual([17 * HOUR, DAY + 3 * HOUR]);
    expect(parts.map(({ whole }) => whole)).toEqual([false, false]);
  });

  it("are whole where there is data of all of them", () => {
    const range = [0, 4 * HOUR] as const;
    const parts = pieces(grid([], range, HOUR), range, HOUR, [1.5 * HOUR, 3.25 * HOUR]);
    expect(parts.map(({ collected }) => collected / HOUR)).toEqual([0, 0.5, 1, 0.25]);
    expect(parts.map(({ whole }) => whole)).toEqual([false, false, true, false]);
    expect(runs(parts, (at) => at > 0).map((run) => run.map(({ at }) => at))).toEqual([[1], [2], [3]]);
  });

  it("are joined between their middles, reach the ends of a run, and are steps where they are long", () => {
    const x = (time: number): number => time / HOUR;
    const drawn = (step: number): number[] => outline(pieces(grid([], [0, 2 * step], step), [0, 2 * step], step), step, (time) => x((time * HOUR) / step)).map((point) => point.x);
    expect(drawn(HOUR)).toEqual([0, 0.5, 1.5, 2]);
    expect(drawn(DAY)).toEqual([0, 1, 1, 2]);
  });

  it("by themselves are as wide as they are, and can be seen", () => {
    const [one] = runs(pieces(grid([], [0, HOUR], HOUR), [0, HOUR], HOUR), () => true);
    expect(outline(one ?? [], HOUR, (time) => time / 36_000).map(({ x }) => x)).toEqual([0, 100]);
    expect(outline(one ?? [], HOUR, (time) => time / HOUR).map(({ x }) => x)).toEqual([-1, 2]);
  });

  it("of a week begin on Monday", () => {
    const monday = Date.UTC(2026, 10, 16);
    const from = Date.UTC(2026, 10, 18);
    expect(grid([from, monday + 7 * DAY], [from, from + 14 * DAY], 7 * DAY).from).toEqual([0, 1, -1]);
  });

  it("are found by time", () => {
    expect([-5, 0, 9, 10, 99].map((time) => pieceAt([0, 10, 20], time))).toEqual([0, 0, 0, 1, 2]);
  });
});

describe("scales", () => {
  it("end at round values and turn back", () => {
    const y = valueScaleTo(23.4, [100, 0], 4);
    expect(y.domain).toEqual([0, 25]);
    expect(y(0)).toBe(100);
    expect(y.invert(y(12))).toBeCloseTo(12);
    expect(valueScaleTo(0, [100, 0], 4).domain[1]).toBeGreaterThan(0);
  });

  it("have ticks at round UTC times", () => {
    const x = utcScale([Date.UTC(2026, 10, 14, 5), Date.UTC(2026, 10, 21, 5)], [0, 700]);
    const ticks = x.ticks(7);
    expect(ticks.length).toBeGreaterThan(4);
    expect(ticks.every((time) => time % (12 * HOUR) === 0)).toBe(true);
  });
});

describe("annotations", () => {
  const note = (eventType: string, from: number, to: number) => ({
    dataSource: "CONNECTION_ANOMALY", description: "text", eventType, startDate: new Date(from).toISOString(), endDate: new Date(to).toISOString(), isInstantaneous: false, linkedUrl: "",
  });

  it("are marked where they concern a part of the time", () => {
    const notes = [note("OUTAGE", DAY, 2 * DAY), note("GENERAL", 0, 7 * DAY), note("PIPELINE", 8 * DAY, 9 * DAY)];
    expect(marksOf(notes, [0, 7 * DAY]).map(({ kind }) => kind)).toEqual(["OUTAGE"]);
  });
});

describe("a small line in words", () => {
  const words = (values: readonly number[], step = DAY, unit: "share" | "count" = "share"): string =>
    inWords({ times: values.map((_, at) => Date.UTC(2026, 10, 20) + at * step), values, step, unit }).replaceAll("\u202f", " ");

  it("has its ends and its extremes", () =>
    expect(words([3, 1, 9, 4])).toBe("3.0 % on 20 Nov, 4.0 % on 23 Nov; lowest 1.0 % on 21 Nov, highest 9.0 % on 22 Nov"));

  it("passes over gaps, and says the hour where that matters", () =>
    expect(words([NaN, 1200, 30], HOUR, "count")).toBe("1,200 on 20 Nov, 01:00, 30 on 20 Nov, 02:00; lowest 30 on 20 Nov, 02:00, highest 1,200 on 20 Nov, 01:00"));

  it("may be of nothing", () => expect(words([])).toBe("no values"));
});

describe("a small line", () => {
  const hours = (n: number): number[] => Array.from({ length: n }, (_, at) => at * HOUR);

  it("has means where there are more values than it can show", () => {
    const times = hours(240);
    const found = smoothed({ times, values: times.map((_, at) => (at % 4 === 0 ? NaN : at % 4)), range: [0, 240 * HOUR], step: HOUR });
    expect(found.step).toBe(4 * HOUR);
    expect(found.times).toEqual(times.filter((_, at) => at % 4 === 0));
    expect(new Set(found.values)).toEqual(new Set([2]));
  });

  it("has its own values where they are few", () => {
    const [times, values] = [hours(60), hours(60)];
    expect(smoothed({ times, values, range: [0, 60 * HOUR], step: HOUR })).toEqual({ times, values, step: HOUR });
  });
});
