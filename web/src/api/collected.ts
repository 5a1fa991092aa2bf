// Which times there is data of: what was not collected is not zero.

import type { Span } from "../charts/times";
import type { Range } from "../state/url";
import * as radar from "./radar";
import type { Coverage } from "./wire";

const DAY = 86_400_000;
/** A day of which less was collected, in percent, is not compared with others. */
const WHOLE = 99;

/** The part of a range, from 0 to 1, of which packets were collected. */
export const collectedPart = (coverage: Coverage | undefined): number => Number(coverage?.collected ?? 0) / 100;

/** The times in which nothing was collected. */
export const gapsOf = (coverage: Coverage | undefined): Span[] =>
  (coverage?.gaps ?? []).filter(({ nothing }) => nothing).map(({ startTime, endTime }): Span => [Date.parse(startTime), Date.parse(endTime)]);

/** Which days were collected as a whole, from every server that was expected. */
export async function collectedDays(range: Range, days: readonly number[]): Promise<boolean[]> {
  const { intervals } = await radar.coverage(range, "1d");
  const complete = new Map((intervals?.timestamps ?? []).map((time, at) => [Math.floor(Date.parse(time) / DAY) * DAY, Number(intervals?.complete[at] ?? 0)]));
  return days.map((day) => (complete.get(day) ?? 0) >= WHOLE);
}
