// Selections and ranges into the parameters of the API.

import type { Metric } from "../state/stage";
import type { Place } from "../state/place";
import { controlShift, isoMinute, type Range } from "../state/url";
import type { Parameters } from "./client";

/** Which connections, when. */
export interface Selection {
  place: Place;
  range: Range;
  completed: boolean;
  unanswered: boolean;
}

/** One of the series of a question. */
export interface Asked extends Selection {
  /** The period before instead. */
  control?: boolean;
  /** Only connections with these. */
  only?: Readonly<Record<string, string>>;
}

/** A selection with more restrictions. */
export const narrowed = (asked: Asked, only: Readonly<Record<string, string>>): Asked => ({ ...asked, only: { ...asked.only, ...only } });

type Pair = readonly [string, string];

function placePairs(place: Place): Pair[] {
  return [
    ["location", place.kind === "location" ? place.code : ""],
    ["continent", place.kind === "continent" ? place.code : ""],
    ["asn", place.kind === "asn" ? String(place.number) : ""],
  ];
}

function rangePairs({ range, control }: Asked): Pair[] {
  if (range.kind === "last") return [["dateRange", control ? `${range.span}control` : range.span]];
  const shift = control ? controlShift(range) : 0;
  return [
    ["dateStart", isoMinute(range.from - shift)],
    ["dateEnd", isoMinute(range.to - shift)],
  ];
}

function pairs(one: Asked): Pair[] {
  return [
    ...rangePairs(one),
    ...placePairs(one.place),
    ["handshake", one.completed ? "completed" : ""],
    ["resets", one.unanswered ? "unanswered" : ""],
    ...Object.entries(one.only ?? {}),
  ];
}

/** The parameters of series side by side: the nth value of each key belongs to the nth series. Keys that no series needs are left out. */
export function seriesParameters(series: readonly Asked[]): Parameters {
  const each = series.map((one) => new Map(pairs(one)));
  const keys = new Set(each.flatMap((one) => [...one].filter(([, value]) => value).map(([key]) => key)));
  return each.flatMap((one) => [...keys].map((key): Pair => [key, one.get(key) ?? ""]));
}

/** The stages that a metric counts; the API's rankings count all anomalous ones by themselves. */
export const metricPairs = (metric: Metric): Pair[] => (metric === "any" ? [] : [["stage", metric]]);
