// Which times there is data of: what was not collected is not zero.

import { overlap, type Span } from "../charts/times";
import { WORLD } from "../state/place";
import { lengthOf, type Range } from "../state/url";
import * as radar from "./radar";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ALL = { place: WORLD, completed: false, unanswered: false };

/** How much of an earlier period, from 0 to 1, has data: in each day, or hour of a shorter one, somebody must have been seen. */
export async function collectedBefore(range: Range): Promise<number> {
  const step = lengthOf(range) >= 7 * DAY ? DAY : HOUR;
  const seen = radar.timeseries("stage", [{ ...ALL, range, control: true }], [["aggInterval", step === DAY ? "1d" : "1h"]]);
  const [{ series, ranges }, known] = await Promise.all([seen, radar.knownTime()]);
  const [from, to] = ranges[0] ?? [0, 0];
  const [groups] = series;
  if (!groups || to <= from) return 0;
  const parts = groups.times.map((time, at) => {
    // The first piece may begin before the period.
    const piece: Span = [Math.max(time, from), Math.min(Math.floor(time / step) * step + step, to)];
    return groups.sampled[at] ? overlap(piece, known) : 0;
  });
  return parts.reduce((sum, part) => sum + part, 0) / (to - from);
}

/** Of this many connections in a usual hour on, an hour without any was not collected. */
const USUAL = 10;
/** Longer times are looked at day by day. */
const HOURLY = 28 * DAY;

/** Which days were collected as a whole, from every server that delivered before and after. */
export async function collectedDays(range: Range, days: readonly number[]): Promise<boolean[]> {
  const step = lengthOf(range) <= HOURLY ? HOUR : DAY;
  const seen = radar.timeseries("node", [{ ...ALL, range }], [["aggInterval", step === HOUR ? "1h" : "1d"]]);
  const [{ series }, known] = await Promise.all([seen, radar.knownTime()]);
  const [groups] = series;
  if (!groups) return days.map(() => false);
  const at = new Map(groups.times.map((time, index) => [Math.floor(time / step) * step, index]));
  const servers = [...groups.by.values()].map(({ sampled }) => sampled);
  return days.map((day) => {
    if (overlap([day, day + DAY], known) < DAY) return false;
    const pieces = Array.from({ length: DAY / step }, (_, piece) => at.get(day + piece * step));
    if (pieces.every((index) => index === undefined || !groups.sampled[index])) return false;
    return [groups.sampled, ...servers].every((sampled) => pieces.every((index, piece) => !isGap(sampled, index, day + piece * step, groups.times, step)));
  });
}

/** Whether a server has nothing in a piece of time, and usually has before and after. */
function isGap(sampled: readonly number[], index: number | undefined, time: number, times: readonly number[], step: number): boolean {
  if (index !== undefined && sampled[index]) return false;
  const delivering = sampled.filter((n) => n > 0).sort((a, b) => a - b);
  if ((delivering[Math.floor(delivering.length / 2)] ?? 0) < USUAL) return false;
  const first = times[sampled.findIndex((n) => n > 0)] ?? Infinity;
  const last = times[sampled.findLastIndex((n) => n > 0)] ?? -Infinity;
  return first < time && time + step <= last;
}
