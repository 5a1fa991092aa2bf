// Answers of the API as numbers.

import { ANOMALOUS, type Metric, type Stage, STAGES } from "../state/stage";
import type { CountsOfSeries, GroupsAnswer, Meta } from "./wire";

/** A group's numbers, one for each piece of time. */
export interface Column {
  share: number[];
  low: number[];
  high: number[];
  sampled: number[];
  weight: number[];
}

/** The groups of one series. */
export interface Groups {
  /** Beginnings of the pieces of time, milliseconds; one for a summary. */
  times: number[];
  /** All connections. */
  sampled: number[];
  weight: number[];
  by: Map<string, Column>;
}

export interface Answer {
  meta: Meta;
  /** From and to of each series. */
  ranges: [number, number][];
  /** Length of a piece of time, in milliseconds. */
  step: number;
  series: Groups[];
}

const HOUR = 3_600_000;
const STEPS: Record<string, number> = {
  FIFTEEN_MINUTES: HOUR / 4,
  ONE_HOUR: HOUR,
  ONE_DAY: 24 * HOUR,
  ONE_WEEK: 168 * HOUR,
};

/** In milliseconds, by the API's name. */
export const lengthOfStep = (name: string | null | undefined): number => STEPS[name ?? ""] ?? 0;

const numbers = (value: unknown): number[] => [value].flat().map(Number);

function groups(shares: Record<string, unknown>, counts: CountsOfSeries, start: number): Groups {
  const by = new Map<string, Column>();
  for (const [name, columns] of Object.entries(counts.groups)) {
    by.set(name, {
      share: numbers(shares[name]),
      low: columns.low.map(Number),
      high: columns.high.map(Number),
      sampled: columns.sampled,
      weight: columns.weight,
    });
  }
  const stamps = shares["timestamps"];
  const times = Array.isArray(stamps) ? stamps.map((text) => Date.parse(String(text))) : [start];
  return { times, sampled: counts.total.sampled, weight: counts.total.weight, by };
}

export function readGroups(answer: GroupsAnswer): Answer {
  const ranges = answer.meta.dateRange.map((r): [number, number] => [Date.parse(r.startTime), Date.parse(r.endTime)]);
  const names = Object.keys(answer.counts);
  const series = names.map((name, at) => {
    const counts = answer.counts[name] ?? { total: { sampled: [], weight: [] }, groups: {} };
    return groups((answer[name] ?? {}) as Record<string, unknown>, counts, ranges[at]?.[0] ?? 0);
  });
  return { meta: answer.meta, ranges, step: lengthOfStep(answer.meta.aggInterval), series };
}

const EMPTY: Column = { share: [], low: [], high: [], sampled: [], weight: [] };
export const column = (groups: Groups, name: string): Column => groups.by.get(name) ?? EMPTY;

/** The share of a metric at a position, in percent. */
export function shareAt(groups: Groups, metric: Metric, at: number): number {
  const stages: readonly Stage[] = metric === "any" ? ANOMALOUS : [metric];
  return stages.reduce((sum, stage) => sum + (column(groups, stage).share[at] ?? 0), 0);
}

/** What the page shows of one stage series: shares and counts by time. */
export const stageShares = (groups: Groups): Map<Stage, number[]> =>
  new Map(STAGES.map((stage) => [stage, column(groups, stage).share]));

export const total = (list: readonly number[]): number => list.reduce((sum, n) => sum + n, 0);
