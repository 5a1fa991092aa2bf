// The questions that the page asks.

import { type Place, WORLD } from "../state/place";
import { ALL_DATA, type DataSet, DEFAULT, lengthOf, type Range, type Step } from "../state/url";
import { ANOMALOUS, type Metric, useStages } from "../state/stage";
import { type Answer, lengthOfStep, readGroups, total } from "./answers";
import { address, ask, change, file, type Parameters } from "./client";
import { type Asked, metricPairs, seriesParameters } from "./question";
import { gapsOf } from "./collected";
import type { Span } from "../charts/times";
import type { Asn, Connection, ConnectionsAnswer, Coverage, Followers, Found, FoundEvent, GroupsAnswer, KeptNote, Location, Meta, NoteToKeep, QuicShareAnswer, Status, Terms, TopRow, Traced, TracedDatagrams, Upstreams, WatchedPlace } from "./wire";

const DIRECTORIES: Record<DataSet, string> = { tcp: "tcp_resets_timeouts", origin: "origin_resets_timeouts", quic: "quic_closes_timeouts" };
let asked: DataSet = "tcp";

/** Which data set all questions are about, until another one is set. */
export function useDataSet(dataSet: DataSet): void {
  asked = dataSet;
  useStages(dataSet === "quic");
}
export const dataSet = (): DataSet => asked;
const inDataSet = (path: string, of = asked): string => `${DIRECTORIES[of]}/${path}`;

const grouped = async (path: string, parameters: Parameters, of = asked): Promise<Answer> =>
  readGroups(await ask<GroupsAnswer>(inDataSet(path, of), [...parameters, ["counts", "true"]]));

/** Counts and shares by a dimension over the whole range. */
export const summary = (by: string, series: readonly Asked[], limit?: number): Promise<Answer> =>
  grouped(`summary/${by}`, [...seriesParameters(series), ...limitPair(limit)]);

/** Counts and shares by a dimension over time. */
export const timeseries = (by: string, series: readonly Asked[], more: Parameters = []): Promise<Answer> =>
  grouped(`timeseries_groups/${by}`, [...seriesParameters(series), ...more]);

/** How much of what clients open is QUIC. */
export interface QuicShare {
  step: number;
  range: Span;
  times: readonly number[];
  /** In percent of both. */
  share: readonly number[];
  quic: readonly number[];
  tcp: readonly number[];
}

/** Over time. Without a port it is about 443. */
export async function quicShare(series: Asked, step: Step): Promise<QuicShare> {
  const parameters = seriesParameters([series]).filter(([key]) => SHARE_KEYS.has(key));
  const answer = await ask<QuicShareAnswer>(inDataSet("share", "quic"), [...parameters, ["name", "all"], ...(step ? [["aggInterval", step] as const] : [])]);
  const { all, meta } = answer;
  const [range] = meta.dateRange;
  return {
    step: lengthOfStep(meta.aggInterval),
    range: [Date.parse(range?.startTime ?? ""), Date.parse(range?.endTime ?? "")],
    times: all.timestamps.map((time) => Date.parse(time)),
    share: all.value.map(Number),
    quic: all.quic,
    tcp: all.tcp,
  };
}

const SHARE_KEYS = new Set(["dateRange", "dateStart", "dateEnd", "location", "continent", "asn", "ipVersion", "port", "node"]);

/** The stages of one data set, whichever the page is about. */
export const stagesOf = (of: DataSet, series: Asked): Promise<Answer> => grouped("summary/stage", seriesParameters([series]), of);

/** Fewer connections in a piece of time give no line but noise. */
const FEW = 50;
const COARSER: Record<number, string> = { 900_000: "1h", 3_600_000: "1d", 86_400_000: "1w" };

export interface Pieces {
  /** How many series, from the first, set the length of pieces. */
  led?: number;
  /** The one of these, by connections, that does: 0 is the smallest, 0.5 the one in the middle. */
  rank?: number;
  few?: number;
  /** More pieces than a chart can show are not asked for. */
  most?: number;
  /** A length that is given; then nothing else counts. */
  step?: Step;
}

/** How much of a range was collected, in buckets as well. */
export async function coverage(range: Range, step: Exclude<Step, "">): Promise<Coverage> {
  const parameters = [...seriesParameters([{ range, place: WORLD, completed: false, unanswered: false }]), ["aggInterval", step], ["name", "all"]] as const;
  return (await ask<{ all: Coverage }>(inDataSet("coverage"), parameters)).all;
}

/** An answer over time, and of which time there is data. */
export interface OverTime extends Answer {
  /** From the first to the last results. */
  known: Span;
  /** Times within it in which nothing was collected. */
  gaps: readonly Span[];
}

/** Stages over time, in pieces that are long enough for the number of connections. */
export async function stagesOverTime(series: readonly Asked[], pieces: Pieces = {}): Promise<OverTime> {
  const asked = knownTime();
  const withGaps = async (answer: Answer): Promise<OverTime> => ({ ...answer, known: await asked, gaps: gapsOf(answer.meta.coverage?.[0]) });
  if (pieces.step) return withGaps(await timeseries("stage", series, [["aggInterval", pieces.step]]));
  const begin = coarseEnough(series[0]?.range, pieces.most);
  let answer = await timeseries("stage", series, begin ? [["aggInterval", begin]] : []);
  for (let coarser = COARSER[answer.step]; coarser && isSparse(answer, pieces); coarser = COARSER[answer.step]) {
    answer = await timeseries("stage", series, [["aggInterval", coarser]]);
  }
  return withGaps(answer);
}

/** The shortest length with few enough pieces; none if the server's own choice has so few. */
function coarseEnough(range: Range | undefined, most: number | undefined): Exclude<Step, ""> | null {
  if (!range || !most || lengthOf(range) / 3_600_000 <= most) return null;
  return lengthOf(range) / 86_400_000 <= most ? "1d" : "1w";
}

/** Whether there are few connections in a piece of time, and enough pieces to make longer ones. */
function isSparse({ series, ranges, step }: Answer, { led = 1, rank = 0, few = FEW }: Pieces): boolean {
  const [from, to] = ranges[0] ?? [0, 0];
  const pieces = (to - from) / step;
  const means = series.slice(0, led).map(({ sampled }) => total(sampled) / pieces).filter((mean) => mean > 0);
  const mean = means.sort((a, b) => a - b)[Math.floor(means.length * rank)];
  return mean !== undefined && mean < few && pieces > 12;
}

/** Where the raw answer is. */
export const timeseriesAddress = (by: string, series: readonly Asked[]): URL =>
  address(inDataSet(`timeseries_groups/${by}`), [...seriesParameters(series), ["counts", "true"]]);

const limitPair = (limit?: number): Parameters => (limit ? [["limitPerGroup", String(limit)]] : []);

/** A line of a ranking. */
export interface Ranked {
  /** Alpha-2 code or AS number. */
  code: string;
  name: string;
  share: number;
  low: number;
  high: number;
  /** Sampled connections at the stages of the metric. */
  matching: number;
  sampled: number;
  /** The same over other connections: of a ranking of completed handshakes all of them, else completed handshakes. */
  beside: { share: number; sampled: number } | null;
}

export interface Ranking {
  meta: Meta;
  range: [number, number];
  rows: Ranked[];
}

type TopAnswer = { meta: Meta; top_0: TopRow[] };

/** Countries or networks by the share of a metric; of completed handshakes the share of all connections stands beside, which takes another question. */
export async function topBeside(what: "locations" | "ases", asked: Asked, metric: Metric, limit: number, least: number): Promise<Ranking> {
  if (!asked.completed) return top(what, asked, metric, limit, least);
  const [own, all] = await Promise.all([top(what, asked, metric, limit, least), top(what, { ...asked, completed: false }, metric, MOST_RANKED, least)]);
  const byCode = new Map(all.rows.map(({ code, share, sampled }) => [code, { share, sampled }]));
  return { ...own, rows: own.rows.map((row) => ({ ...row, beside: byCode.get(row.code) ?? null })) };
}

/** The API's limit. */
const MOST_RANKED = 300;

/** Countries or networks by the share of a metric. */
export async function top(
  what: "locations" | "ases",
  asked: Asked,
  metric: Metric,
  limit: number,
  least: number,
): Promise<Ranking> {
  const parameters: Parameters = [
    ...seriesParameters([asked]),
    ...metricPairs(metric),
    ["limit", String(limit)],
    ...(least ? [["minSample", String(least)] as const] : []),
  ];
  const { meta, top_0 } = await ask<TopAnswer>(inDataSet(`top/${what}`), parameters);
  const [range] = meta.dateRange;
  return {
    meta,
    range: [Date.parse(range?.startTime ?? ""), Date.parse(range?.endTime ?? "")],
    rows: top_0.map((row) => ({
      code: String(row.clientCountryAlpha2 ?? row.clientASN),
      name: row.clientCountryName ?? row.clientASName ?? "",
      share: Number(row.value),
      low: Number(row.low),
      high: Number(row.high),
      matching: row.matching,
      sampled: row.connections,
      beside: { share: Number(row.completed.value), sampled: row.completed.connections },
    })),
  };
}

export const search = async (query: string): Promise<Found[]> =>
  (await ask<{ search: Found[] }>("search/global", [["query", query], ["limit", "10"]])).search;

export const location = async (code: string): Promise<Location> =>
  (await ask<{ location: Location }>(`entities/locations/${code}`)).location;

export const locations = async (): Promise<Location[]> =>
  (await ask<{ locations: Location[] }>("entities/locations", [["limit", "300"]])).locations;

export const network = async (asn: number): Promise<Asn> => (await ask<{ asn: Asn }>(`entities/asns/${asn}`)).asn;

/** What the server has found in a time, in a place and in those within it. */
export const events = async ({ range, place }: Pick<Asked, "range" | "place">, more: Parameters = []): Promise<FoundEvent[]> =>
  (await ask<{ events: FoundEvent[] }>(EVENTS, [...seriesParameters([{ range, place, completed: false, unanswered: false }]), ["dataSet", asked], ...more])).events;

const EVENTS = "../cutshort/events";

/** How a place is watched for events, by its name there; none if it is not. */
export async function watched(place: Place, name: string): Promise<WatchedPlace | null> {
  const of: Parameters = place.kind === "location" ? [["location", place.code]] : place.kind === "asn" ? [["asn", String(place.number)]] : [];
  const { watched } = await ask<{ watched: WatchedPlace[] }>("../cutshort/watched", [...of, ["dataSet", asked], ["limit", "1"]]);
  return watched.find((one) => one.place === name) ?? null;
}

/** Which networks of a country show its open event, and which do not. */
export const followers = (id: string): Promise<Followers> => ask<Followers>(`${EVENTS}/${id}/followers`);

/** One event, wherever and whenever it was. */
export const event = async (id: string): Promise<FoundEvent> => (await ask<{ event: FoundEvent }>(`${EVENTS}/${id}`)).event;

export const review = (id: string, decision: "confirmed" | "dismissed", note: string): Promise<unknown> =>
  change("POST", `${EVENTS}/${id}/review`, { decision, ...(note ? { note } : {}) });
export const withdraw = (id: string): Promise<unknown> => change("DELETE", `${EVENTS}/${id}/review`);

/** Where feed readers find the events of a place. */
export function feed(place: Place, more: Parameters): URL {
  const of = seriesParameters([{ range: DEFAULT.range, place, completed: false, unanswered: false }]).filter(([key]) => key !== "dateRange");
  return address(`${EVENTS}.atom`, [...of, ["dataSet", asked], ...more]);
}

const NOTES = "annotations/outages";
export const annotate = async (note: NoteToKeep): Promise<KeptNote> => (await change<{ annotation: KeptNote }>("POST", NOTES, note)).annotation;
export const removeAnnotation = (id: string): Promise<unknown> => change("DELETE", `${NOTES}/${encodeURIComponent(id)}`);

export const terms = (): Promise<Terms> => ask<Terms>(inDataSet("terms"));

export const status = (): Promise<Status> => ask<Status>("status");

const QUARTER = 900_000;

/** The time that has results; endless if that cannot be known. */
export async function knownTime(): Promise<readonly [number, number]> {
  const all = await status().catch(() => null);
  if (asked !== "tcp") {
    const own = all?.dataSets.find(({ name }) => name === asked);
    if (!own?.coveredFrom || !own.coveredTo) return [-Infinity, Infinity];
    // Results are of whole quarters of an hour.
    return [Math.floor(Date.parse(own.coveredFrom) / QUARTER) * QUARTER, Math.ceil(Date.parse(own.coveredTo) / QUARTER) * QUARTER];
  }
  const windows = all?.windows;
  return windows?.from && windows.to ? [Date.parse(windows.from), Date.parse(windows.to)] : [-Infinity, Infinity];
}

/** A range by its ends if it is all there is data of. */
export async function concrete(range: Range): Promise<Range> {
  if (range.kind === "fixed" || range.span !== ALL_DATA) return range;
  const [from, to] = await knownTime();
  return Number.isFinite(to - from) ? { kind: "fixed", from, to } : DEFAULT.range;
}

/** Whether filters of single connections leave some that resets can concern. */
export const isCutShort = ({ stage, termination }: Readonly<Record<string, string>>): boolean =>
  stage !== "no_match" && stage !== ALL_STAGES && (!termination || termination === "reset" || termination === "timeout");

/** A part of a list of single connections, and its order over the whole range. */
export interface Part {
  offset: number;
  limit: number;
  order: "time" | "packets" | "stage" | "signature" | "location" | "client" | "server";
  direction: "asc" | "desc";
}

/** A filter of stages that restricts nothing. */
export const ALL_STAGES = "all";

/** Single connections, where the operator allows it: those that were cut short, unless a filter says otherwise. Of resets before any answer only, those that count as cut short. */
export const connections = (asked: Asked, filters: Filters, part: Part): Promise<ConnectionsAnswer> => ask<ConnectionsAnswer>(inDataSet("connections"), partPairs(asked, filters, part));

/** The same as an Apache Parquet file. */
export const connectionsFile = (asked: Asked, filters: Filters, part: Part): Promise<Blob> => file(inDataSet("connections"), [...partPairs(asked, filters, part), ["format", "PARQUET"]]);

type Filters = Readonly<Record<string, string>>;

function partPairs(asked: Asked, filters: Filters, { offset, limit, order, direction }: Part): Parameters {
  const { stage, ...others } = filters;
  const isCut = isCutShort(filters);
  const chosen = stage === ALL_STAGES ? "" : (stage ?? (isCut ? ANOMALOUS.join(",") : ""));
  const only = { ...others, stage: chosen, ...(asked.unanswered && isCut && stage !== ALL_STAGES ? { answered: "false" } : {}) };
  return [
    ...seriesParameters([{ ...asked, unanswered: false, only }]),
    ["offset", String(offset)],
    ["limit", String(limit)],
    ["orderBy", order],
    ["direction", direction],
  ];
}

/** Servers to which connections were opened, those to which most failed first. */
export const upstreams = (one: Asked, limit: number): Promise<Upstreams> =>
  ask<Upstreams>(inDataSet("top/servers"), [...seriesParameters([{ ...one, unanswered: false }]), ["limit", String(limit)]]);

/** The packets of a connection, as long as they are kept. */
export const trace = (one: Connection): Promise<Traced> => ask<Traced>(inDataSet("connections/trace"), ofConnection(one));

/** The same of a QUIC connection. */
export const datagrams = (one: Connection): Promise<TracedDatagrams> => ask<TracedDatagrams>(inDataSet("connections/trace"), ofConnection(one));

const ofConnection = (one: Connection): Parameters => [
  ["client", one.src_ip],
  ["clientPort", String(one.src_port)],
  ["server", one.dst_ip],
  ["serverPort", String(one.dst_port)],
  ["time", new Date(one.first_us / 1000).toISOString()],
];
