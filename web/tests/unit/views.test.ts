import { describe, expect, it } from "vitest";
import { type Answer, readGroups } from "../../src/api/answers";
import type { FoundEvent, GroupsAnswer, Meta } from "../../src/api/wire";
import type { Place } from "../../src/state/place";
import { flowOf } from "../../src/views/flow";
import { listed } from "../../src/charts/marks";
import { extent, unchanged } from "../../src/views/in-words";
import { stageTable } from "../../src/views/series";
import { filtersOf, marksOfEvents, placeOf, timeOf, when } from "../../src/views/happened";

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

describe("events", () => {
  const event = (change: Partial<FoundEvent>): FoundEvent =>
    ({ id: "00000000000000ff", place: "country:PT", channel: "traffic", state: "closed", severity: "severe", onset: "2026-11-09T13:15:00Z", end: "2026-11-09T18:00:00Z", summary: "Portugal: 95 % fewer connections than usual", parts: [], ...change }) as FoundEvent;
  const now = Date.UTC(2026, 10, 14);

  it("have a place on the page, unless it is a server", () => {
    expect(placeOf(event({}))).toEqual({ kind: "location", code: "PT" });
    expect(placeOf(event({ place: "as:64500" }))).toEqual({ kind: "asn", number: 64500 });
    expect(placeOf(event({ place: "world" }))).toEqual({ kind: "world" });
    expect(placeOf(event({ place: "node:edge1" }))).toBeNull();
  });

  it("end with the present while they continue", () => {
    expect(timeOf(event({}), now)).toEqual([Date.UTC(2026, 10, 9, 13, 15), Date.UTC(2026, 10, 9, 18)]);
    expect(timeOf(event({ end: null, state: "open" }), now)[1]).toBe(now);
    expect(timeOf(event({ end: null, state: "usual", closed: "2026-11-12T00:00:00Z" }), now)[1]).toBe(Date.UTC(2026, 10, 12));
    expect(when(event({}))).toMatch(/13:15 .* 18:00 UTC$/);
    expect(when(event({ end: null, state: "open" }))).toBe("Since Mon 9 Nov 2026, 13:15 UTC");
  });

  it("are spans on the chart of their place, as are those of our own", () => {
    const range: [number, number] = [Date.UTC(2026, 10, 8), Date.UTC(2026, 10, 14)];
    const events = [event({}), event({ place: "as:64500" }), event({ place: "node:edge1", channel: "observer", summary: "Server edge1" }), event({ state: "retracted" }), event({ onset: "2026-10-01T00:00:00Z", end: "2026-10-02T00:00:00Z" })];
    const texts = (place: Place): string[] => marksOfEvents(events, place, range, now).map(({ text }) => text);
    expect(texts({ kind: "location", code: "PT" })).toEqual(["Portugal: 95 % fewer connections than usual", "Server edge1"]);
    expect(texts({ kind: "world" })).toEqual(["Server edge1"]);
    expect(marksOfEvents(events, { kind: "asn", number: 64500 }, range, now)[0]).toMatchObject({ from: Date.UTC(2026, 10, 9, 13, 15), to: Date.UTC(2026, 10, 9, 18), kind: "EVENT" });
  });

  it("are chosen by the API's parameters", () => {
    expect(filtersOf({ channel: "", which: "alarms" })).toEqual([["alarm", "true"], ["state", "-retracted"]]);
    expect(filtersOf({ channel: "post_ack", which: "open" })).toEqual([["state", "open"], ["channel", "post_ack"]]);
    expect(filtersOf({ channel: "nothing", which: "all" })).toEqual([]);
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

describe("an event of a country", () => {
  const network = (asn: string, name = "") => ({ asn, name, location: null });

  it("is in some networks, and not in others", () => {
    expect(extent(null)).toBe(null);
    expect(extent({ following: [], exempt: [] })).toBe(null);
    expect(extent({ following: [network("64500")], exempt: [] })).toBe(", in 1 of 1 network");
    expect(extent({ following: [network("1"), network("2")], exempt: [network("3", "Example"), network("4")] })).toBe(", in 2 of 4 networks; not in Example, AS4");
  });
});

it.each([
  ["watched", /^Changed: no events\. Nothing differed/],
  ["learning", /takes a week of data\.$/],
  ["too_few", /too few connections from here/],
])("no events mean something only where they would be noticed: %s", (status, text) => {
  expect(unchanged({ place: "country:PT", series: [{ channel: "traffic", status, minutes: null }] })).toMatch(text);
});

it("marks that lie over each other are listed", () => {
  expect(listed([1])).toBe("1");
  expect(listed([1, 3, 4, 5, 9, 10])).toBe("1, 3–5, 9–10");
});
