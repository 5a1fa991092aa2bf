// The whole state of the page, and how it stands in the address.

import { type Anomalous, isAnomalous, type Metric } from "./stage";
import { CONTINENTS, parsePlace, type Place, placeKey, samePlace, WORLD } from "./place";

export const VIEWS = ["overview", "events", "compare", "where", "networks", "servers", "how", "connections", "status", "method"] as const;
export type View = (typeof VIEWS)[number];

/** Which connections: those that clients open to these servers, those that these servers open to others, or those of clients over QUIC. */
export const DATA_SETS = ["tcp", "origin", "quic"] as const;
export type DataSet = (typeof DATA_SETS)[number];

export const SPANS = ["1d", "7d", "4w", "12w", "52w"] as const;
export type Span = (typeof SPANS)[number];

/** Lengths of the pieces of time that can be chosen; without one the number of connections decides. */
export const STEPS = ["15m", "1h", "1d", "1w"] as const;
export type Step = (typeof STEPS)[number] | "";

/** Shares, or numbers of connections; without a choice the filters decide. */
export const UNITS = ["share", "count"] as const;
export type Unit = (typeof UNITS)[number] | "";

/** In which time zone times are said. */
export const ZONES = ["utc", "local", "place"] as const;
export type Zone = (typeof ZONES)[number];

/** Which events: those that raised an alarm, those that continue, or all. */
export const WHICH = ["alarms", "open", "all"] as const;
export type Which = (typeof WHICH)[number];

/** The range that is all there is data of. */
export const ALL_DATA = "all";

/** What servers are compared by. */
export const PARTS = ["node", "port", "ip_version"] as const;
export type Part = (typeof PARTS)[number];

/** A time that ends now, or a fixed one (milliseconds since the epoch). */
export type Range = { kind: "last"; span: string } | { kind: "fixed"; from: number; to: number };

export interface State {
  dataSet: DataSet;
  view: View;
  place: Place;
  range: Range;
  /** Only connections that completed the handshake. */
  completed: boolean;
  /** Only resets before any answer. */
  unanswered: boolean;
  unit: Unit;
  /** Series that are switched off. */
  hidden: readonly Anomalous[];
  /** What maps and rankings show. */
  metric: Metric;
  /** What else is compared, beside `place`. */
  others: readonly Place[];
  /** Compared over each other instead of side by side. */
  over: boolean;
  /** With the period before. */
  control: boolean;
  /** Fewer connections are not ranked; 0 leaves it to the server. */
  least: number;
  /** Column of a ranking, `-` in front for falling. */
  sort: string;
  /** What is looked at in How. */
  term: string;
  /** Length of the pieces of time. */
  step: Step;
  zone: Zone;
  /** What is compared in Servers. */
  by: Part;
  /** Rankings count all connections, not only completed handshakes. */
  every: boolean;
  /** What events are about; empty for everything. */
  channel: string;
  which: Which;
  /** The ID of an event that is shown by itself; empty for none. */
  event: string;
  /** Only connections with these. */
  filters: Readonly<Record<string, string>>;
  /** Page of single connections. */
  page: number;
  /** What is open within what is shown: tables of figures, and single connections by `rowKey`. */
  open: readonly string[];
  /** The continent that the map shows; that of the place, or the world, if empty. */
  part: string;
  /** What the address says that cannot be: nothing is shown instead of it. */
  wrong: readonly Wrong[];
}

/** A part of the address, as it stands there. */
export interface Wrong {
  key: "data" | "view" | "place" | "with" | "range" | "time" | "stage" | "handshake" | "resets" | "filter";
  text: string;
}

export const MOST_COMPARED = 6;
/** As many rows as an address keeps open. */
const MOST_OPEN = 20;
/** The whole map, where the place is a continent. */
export const WHOLE_MAP = "world";
/** What every view can be restricted to, by the API's names. */
export const COMMON_FILTERS = ["node", "port", "ipVersion", "signature", "tag", "scanner"] as const;
/** And what only single connections can be. */
export const FILTERS = [...COMMON_FILTERS, "stage", "termination", "client", "server"] as const;
export type Filter = (typeof FILTERS)[number];

export const DEFAULT: State = {
  dataSet: "tcp",
  view: "overview",
  place: WORLD,
  range: { kind: "last", span: "7d" },
  completed: false,
  unanswered: false,
  unit: "",
  hidden: [],
  metric: "any",
  others: [],
  over: false,
  control: false,
  least: 0,
  sort: "",
  term: "",
  step: "",
  zone: "utc",
  by: "node",
  every: false,
  channel: "",
  which: "alarms",
  event: "",
  filters: {},
  page: 0,
  open: [],
  part: "",
  wrong: [],
};

const QUARTER = 900_000;
const isSpan = (text: string): boolean => text === ALL_DATA || /^([1-9]\d{0,2}d|[1-9]\d?w)$/.test(text);

function time(text: string | null): number | null {
  const at = text ? Date.parse(text.length > 10 && !/[zZ]|[+-]\d\d:\d\d$/.test(text) ? `${text}Z` : text) : NaN;
  return Number.isFinite(at) ? Math.floor(at / QUARTER) * QUARTER : null;
}

/** `2026-11-21T14:15Z`. */
export const isoMinute = (at: number): string => `${new Date(at).toISOString().slice(0, 16)}Z`;

function parseRange(query: URLSearchParams): Range {
  const [from, to] = [time(query.get("from")), time(query.get("to"))];
  if (from !== null && to !== null && from < to) return { kind: "fixed", from, to };
  const span = query.get("range") ?? "";
  return isSpan(span) ? { kind: "last", span } : DEFAULT.range;
}

const isPart = (text: string | null): boolean => text === WHOLE_MAP || (text !== null && text in CONTINENTS);

const isPlace = (place: Place | null): place is Place => place !== null;

function parsePlaces(text: string | null): Place[] {
  const places = (text ?? "").split(",").filter(Boolean).map(parsePlace).filter(isPlace);
  return places.filter((place, at) => places.findIndex((other) => samePlace(place, other)) === at);
}

function whole(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}

/** What in an address would change the numbers, and cannot be read. */
function wrongOf(query: URLSearchParams): Wrong[] {
  const found: Wrong[] = [];
  const check = (key: Wrong["key"], text: string | null, isRight: (text: string) => boolean): void => {
    if (text && !isRight(text)) found.push({ key, text });
  };
  check("data", query.get("data"), (text) => DATA_SETS.some((one) => one === text));
  check("view", query.get("view"), (text) => VIEWS.some((view) => view === text));
  const isPlaceName = (text: string): boolean => parsePlace(text) !== null;
  check("place", query.get("place"), isPlaceName);
  for (const text of (query.get("with") ?? "").split(",")) check("with", text, isPlaceName);
  const [from, to] = [query.get("from"), query.get("to")];
  if (from !== null || to !== null) check("time", `${from ?? ""} to ${to ?? ""}`, () => (time(from) ?? Infinity) < (time(to) ?? -Infinity));
  else check("range", query.get("range"), isSpan);
  check("stage", query.get("stage"), (text) => text === "any" || isAnomalous(text));
  check("handshake", query.get("handshake"), (text) => text === "completed");
  check("resets", query.get("resets"), (text) => text === "unanswered");
  for (const key of query.keys()) check("filter", key.startsWith("f.") ? key.slice(2) : null, (text) => FILTERS.some((one) => one === text));
  return found;
}

/** Reads an address; what cannot be read is as if it was not there, and is told in `wrong` where it matters. */
export function parseState(search: string): State {
  const query = new URLSearchParams(search);
  const metric = query.get("stage") ?? "any";
  const filters = FILTERS.map((key) => [key, query.get(`f.${key}`)] as const).filter(([, value]) => value);
  return {
    dataSet: DATA_SETS.find((one) => one === query.get("data")) ?? DEFAULT.dataSet,
    view: VIEWS.find((view) => view === query.get("view")) ?? DEFAULT.view,
    place: parsePlace(query.get("place") ?? "") ?? WORLD,
    range: parseRange(query),
    completed: query.get("handshake") === "completed",
    unanswered: query.get("resets") === "unanswered",
    unit: UNITS.find((unit) => unit === query.get("unit")) ?? DEFAULT.unit,
    hidden: (query.get("hide") ?? "").split(",").filter(isAnomalous),
    metric: isAnomalous(metric) ? metric : "any",
    others: parsePlaces(query.get("with")).slice(0, MOST_COMPARED - 1),
    over: query.get("layout") === "over",
    control: query.get("control") === "1",
    least: whole(query.get("least"), DEFAULT.least),
    sort: query.get("sort") ?? "",
    term: query.get("term") ?? "",
    step: STEPS.find((step) => step === query.get("step")) ?? DEFAULT.step,
    zone: ZONES.find((zone) => zone === query.get("tz")) ?? DEFAULT.zone,
    by: PARTS.find((part) => part === query.get("by")) ?? DEFAULT.by,
    every: query.get("rank") === "all",
    channel: query.get("channel") ?? "",
    which: WHICH.find((which) => which === query.get("events")) ?? DEFAULT.which,
    event: /^[0-9a-f]{16}$/.exec(query.get("event") ?? "")?.[0] ?? "",
    filters: Object.fromEntries(filters) as Record<string, string>,
    page: whole(query.get("page"), 0),
    open: (query.get("open") ?? "").split(",").filter(Boolean).slice(0, MOST_OPEN),
    part: isPart(query.get("map")) ? (query.get("map") ?? "") : DEFAULT.part,
    wrong: wrongOf(query),
  };
}

/** Writes the state; what is as usual is left out, so that addresses are short. */
export function formatState(state: State): string {
  const query = new URLSearchParams();
  const put = (key: string, value: string, usual = ""): void => {
    if (value !== usual) query.set(key, value);
  };
  put("data", state.dataSet, DEFAULT.dataSet);
  put("view", state.view, DEFAULT.view);
  put("place", placeKey(state.place), "world");
  if (state.range.kind === "last") put("range", state.range.span, "7d");
  else {
    query.set("from", isoMinute(state.range.from));
    query.set("to", isoMinute(state.range.to));
  }
  put("step", state.step);
  put("tz", state.zone, DEFAULT.zone);
  put("handshake", state.completed ? "completed" : "");
  put("resets", state.unanswered ? "unanswered" : "");
  put("unit", state.unit);
  put("hide", state.hidden.join(","));
  put("stage", state.metric, "any");
  put("with", state.others.map(placeKey).join(","));
  put("layout", state.over ? "over" : "");
  put("control", state.control ? "1" : "");
  put("least", String(state.least), String(DEFAULT.least));
  put("sort", state.sort);
  put("term", state.term);
  put("by", state.by, DEFAULT.by);
  put("rank", state.every ? "all" : "");
  put("channel", state.channel);
  put("events", state.which, DEFAULT.which);
  put("event", state.view === "events" ? state.event : "");
  for (const key of FILTERS) put(`f.${key}`, state.filters[key] ?? "");
  put("page", state.page ? String(state.page) : "");
  put("open", state.open.join(","));
  put("map", state.part);
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `?${text}` : "";
}

/** Whether connections were chosen by how they ended, so that their share says nothing. */
export const isChosenByEnd = ({ filters }: Pick<State, "filters">): boolean => Boolean(filters["signature"] ?? filters["tag"]);

const usualCounts = (state: Pick<State, "filters">): boolean => isChosenByEnd(state) || state.filters["scanner"] === "true";

/** Whether charts show numbers of connections instead of shares. */
export const isCounting = (state: Pick<State, "unit" | "filters">): boolean => (state.unit ? state.unit === "count" : usualCounts(state));

/** The choice of one of them; none where it is what is shown anyway. */
export const unitOf = (counts: boolean, state: Pick<State, "filters">): Unit => (counts === usualCounts(state) ? "" : counts ? "count" : "share");

export const SPAN_MS: Readonly<Record<string, number>> = { d: 86_400_000, w: 604_800_000 };

/** How long a range is, in milliseconds. */
export function lengthOf(range: Range): number {
  if (range.kind === "fixed") return range.to - range.from;
  return Number.parseInt(range.span, 10) * (SPAN_MS[range.span.slice(-1)] ?? 0);
}

const STEP_MS: Readonly<Record<string, number>> = { "15m": QUARTER, "1h": 4 * QUARTER, "1d": 96 * QUARTER, "1w": 672 * QUARTER };
/** More pieces cannot be told apart, and take long. */
const MOST_PIECES = 3000;

/** Whether a time can be cut into pieces of a length: into two at least, and not too many. */
export const isStep = (step: Step, range: Range): boolean => {
  const pieces = lengthOf(range) / (STEP_MS[step] ?? NaN);
  return pieces >= 2 && pieces <= MOST_PIECES;
};

/** The chosen length of pieces, where it fits the time. */
export const stepOf = ({ step, range }: Pick<State, "step" | "range">): Step => (step && isStep(step, range) ? step : "");

/** By how much the period to compare with lies before: whole weeks, so that weekdays meet the same ones. */
export function controlShift(range: Range): number {
  const week = SPAN_MS["w"] ?? 1;
  return Math.ceil(lengthOf(range) / week) * week;
}
