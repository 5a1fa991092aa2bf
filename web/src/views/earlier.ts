// The earlier period that a time is compared with: what it is called, and whether there is enough of it.

import { type Groups } from "../api/answers";
import type { Range } from "../state/url";
import { dates, percent, span } from "../ui/format";
import { isEmpty } from "./series";

const WEEK = 604_800_000;
/** Longer periods are not compared. */
const LONGEST = 53 * WEEK;
/** With data of a smaller part it is not compared with. */
const ENOUGH = 0.8;

export interface Earlier {
  /** `the previous 7 days`, `the same 24 h last week`. */
  name: string;
  /** Name and dates: `the previous 7 days (15–21 Nov)`. */
  dated: string;
  /** `1 week earlier`. */
  ago: string;
  /** Why it is not compared with; none if it is. */
  missing: string | null;
}

type Between = readonly [number, number] | undefined;

/** `collected` is the part of it that has data, from 0 to 1. */
export function earlierOf(range: Range, now: Between, before: Between, collected: number): Earlier {
  const [[from, to], [start, end]] = [now ?? [0, 0], before ?? [0, 0]];
  const weeks = Math.round((from - start) / WEEK);
  const name = end === from ? `the previous ${span(to - from)}` : `the same ${span(to - from)} ${weeks === 1 && range.kind === "last" ? "last week" : ago(weeks)}`;
  const dated = `${name} (${dates(start, end, to)})`;
  if (to - from > LONGEST) return { name, dated, ago: ago(weeks), missing: "No comparison: the period is longer than a year." };
  return { name, dated, ago: ago(weeks), missing: collected < ENOUGH ? lack(dated, collected) : null };
}

const ago = (weeks: number): string => (weeks > 1 ? `${span(weeks * WEEK)} earlier` : `${weeks} ${weeks === 1 ? "week" : "weeks"} earlier`);

const lack = (dated: string, collected: number): string =>
  collected === 0 ? `No comparison: there is no data for ${dated}.` : `No comparison: only ${percent(100 * collected)} of ${dated} has data.`;

/** Why a selection is not compared with its earlier self; none if it is. */
export const unlike = ({ missing, dated }: Earlier, before: Groups | undefined): string | null =>
  missing ?? (isEmpty(before) ? `No comparison: no connections in ${dated}.` : null);

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
