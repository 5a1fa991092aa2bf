import { describe, expect, it } from "vitest";
import { parsePlace, placeKey } from "../../src/state/place";
import { controlShift, DEFAULT, formatState, lengthOf, parseState, type State } from "../../src/state/url";

const DAY = 86_400_000;

describe("the state in the address", () => {
  it("is empty for the first picture", () => {
    expect(formatState(DEFAULT)).toBe("");
    expect(parseState("")).toEqual(DEFAULT);
  });

  it("names an event among events only", () => {
    const state = parseState("?view=events&event=00f1e2d3c4b5a697");
    expect(state.event).toBe("00f1e2d3c4b5a697");
    expect(formatState(state)).toBe("?view=events&event=00f1e2d3c4b5a697");
    expect(formatState({ ...state, view: "where" })).toBe("?view=where");
    expect(parseState("?view=events&event=<b>").event).toBe("");
  });

  it("comes back as it was written", () => {
    const state: State = {
      dataSet: "origin",
    view: "compare",
      place: { kind: "location", code: "PT" },
      range: { kind: "fixed", from: Date.UTC(2026, 10, 14, 3, 15), to: Date.UTC(2026, 10, 15) },
      completed: true,
      unanswered: true,
      unit: "count",
      hidden: ["post_ack", "later_in_flow"],
      metric: "post_psh",
      others: [{ kind: "asn", number: 4_200_000_001 }, { kind: "continent", code: "EU" }],
      over: true,
      control: true,
      least: 300,
      sort: "-share",
      term: "signature-12",
      step: "1d",
      zone: "local",
      by: "ip_version",
      every: true,
      channel: "post_ack",
      which: "open",
      event: "",
      filters: { stage: "post_ack", client: "198.51.100.0/24" },
      page: 3,
      open: ["1764450000000000.40112"],
      part: "EU",
      wrong: [],
    };
    expect(parseState(formatState(state))).toEqual(state);
  });

  it("can be read by people", () => {
    const state: State = { ...DEFAULT, place: { kind: "location", code: "PT" }, others: [{ kind: "asn", number: 64_500 }, { kind: "location", code: "CH" }] };
    expect(formatState(state)).toBe("?place=PT&with=AS64500,CH");
  });

  it("survives nonsense", () => {
    const state = parseState("?view=nowhere&place=%3Cscript%3E&range=0d&from=x&to=y&hide=none,post_syn&stage=all&least=-4&with=PT,PT,AS99999999999,continent-XX&page=1e9");
    const wrong = [
      { key: "view", text: "nowhere" },
      { key: "place", text: "<script>" },
      { key: "with", text: "AS99999999999" },
      { key: "with", text: "continent-XX" },
      { key: "time", text: "x to y" },
      { key: "stage", text: "all" },
    ];
    expect(state).toEqual({ ...DEFAULT, hidden: ["post_syn"], others: [{ kind: "location", code: "PT" }], wrong });
  });

  it.each(["range=0d", "handshake=complete", "resets=none", "from=2026-11-15", "place=PRT"])("tells what it cannot read: %s", (search) => {
    const [key, text] = search.split("=");
    expect(parseState(`?${search}`).wrong).toEqual([key === "from" ? { key: "time", text: `${text} to ` } : { key, text }]);
  });

  it("reads continents in any case", () => expect(parseState("?place=continent-eu")).toEqual({ ...DEFAULT, place: { kind: "continent", code: "EU" } }));

  it("reads times as UTC, in steps of 15 minutes, and only forward", () => {
    expect(parseState("?from=2026-11-14T03:20&to=2026-11-15").range).toEqual({ kind: "fixed", from: Date.UTC(2026, 10, 14, 3, 15), to: Date.UTC(2026, 10, 15) });
    const reversed = parseState("?from=2026-11-15&to=2026-11-14");
    expect(reversed).toEqual({ ...DEFAULT, wrong: [{ key: "time", text: "2026-11-15 to 2026-11-14" }] });
  });
});

describe("places", () => {
  it.each(["world", "continent-AF", "AF", "AS13335"])("%s comes back", (key) => {
    const place = parsePlace(key);
    expect(place && placeKey(place)).toBe(key);
  });

  it.each(["continent-QQ", "PRT", "ASX", "AS5000000000", "1"])("%s is none", (key) => expect(parsePlace(key)).toBeNull());
});

describe("the period before", () => {
  it.each([["1d", 7], ["7d", 7], ["10d", 14], ["4w", 28]])("of %s lies %i days before, as in the API", (span, days) => {
    expect(controlShift({ kind: "last", span })).toBe(days * DAY);
  });

  it("of a fixed time lies whole weeks before", () => {
    const range = { kind: "fixed", from: 0, to: 8 * DAY } as const;
    expect(lengthOf(range)).toBe(8 * DAY);
    expect(controlShift(range)).toBe(14 * DAY);
  });
});
