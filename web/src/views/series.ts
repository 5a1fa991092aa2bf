// What several views make of a stage series: layers, headline numbers, tables, words.

import { type Answer, column, type Groups, shareAt, total } from "../api/answers";
import { shortName, switches } from "../app";
import { isCut } from "../charts/times";
import type { Layer } from "../charts/stack";
import { type Place } from "../state/place";
import { ANOMALOUS, type Anomalous, type Stage, STAGES, stageClass, title } from "../state/stage";
import type { State } from "../state/url";
import { range as rangeText } from "../ui/format";
import type { Provenance } from "../ui/download";
import type { Table } from "../ui/table";

/** The layers of a stacked chart: anomalous stages that are switched on, and the rest where counts are shown. */
export function layersOf(groups: Groups, counts: boolean, hidden: readonly Anomalous[]): Layer[] {
  const stages: Stage[] = ANOMALOUS.filter((stage) => !hidden.includes(stage));
  if (counts) stages.push("no_match");
  return stages.map((stage) => ({
    label: title(stage),
    class: stageClass(stage),
    values: counts ? column(groups, stage).weight : column(groups, stage).share,
  }));
}

/** The share of all anomalous stages for each piece of time. */
export const anomalous = (groups: Groups): number[] => groups.times.map((_, at) => shareAt(groups, "any", at));

/** Whether a summary has any connection. */
export const isEmpty = (groups: Groups | undefined): boolean => !groups || total(groups.sampled) === 0;

const DAY = 86_400_000;
const STEP_NAMES: Record<number, string> = { 900_000: "15 minutes", 3_600_000: "hour", 86_400_000: "day", 604_800_000: "week" };
export const stepName = (step: number): string => STEP_NAMES[step] ?? "piece of time";

export const unitText = (counts: boolean, step: number): string =>
  counts ? `Connections per ${stepName(step)}` : `Share of connections per ${stepName(step)}`;

/** That pieces at the edges are shorter than the others; none where they are not, or are short anyway. */
export function cutNote({ ranges, step }: Pick<Answer, "ranges" | "step">): string | null {
  if (step < DAY) return null;
  const [first, last] = isCut(ranges[0] ?? [0, 0], step);
  const which = first && last ? "The first and the last" : first ? "The first" : last ? "The last" : null;
  return which && `${which} ${stepName(step)} ${first && last ? "are" : "is"} not whole: the time begins or ends within ${first && last ? "them" : "it"}.`;
}

const iso = (time: number): string => new Date(time).toISOString().slice(0, 16) + "Z";

/** A stage series as rows: time, shares, counts. */
export function stageTable(groups: Groups): Table {
  const of = STAGES.map((stage) => column(groups, stage));
  return {
    columns: [
      { label: "Time (UTC)" },
      ...STAGES.map((stage) => ({ label: title(stage), as: "percent" as const })),
      { label: "Sampled", as: "count" },
    ],
    rows: groups.times.map((time, at) => [iso(time), ...of.map((one) => one.share[at] ?? null), groups.sampled[at] ?? null]),
  };
}

export interface NamedSeries {
  name: string;
  groups: Groups;
  /** The period before, which is moved forward by `shift`. */
  before?: Groups | undefined;
  shift?: number;
}

/** Several stage series as rows: whose, time, shares, counts. */
export function seriesTable(what: string, all: readonly NamedSeries[]): Table {
  const withBefore = all.some(({ before }) => before);
  const rows = all.flatMap(({ name, groups, before, shift = 0 }) => {
    const then = new Map(before?.times.map((time, at) => [time + shift, shareAt(before, "any", at)]));
    return groups.times.map((time, at) => [
      name,
      iso(time),
      ...ANOMALOUS.map((stage) => column(groups, stage).share[at] ?? null),
      ...(withBefore ? [then.get(time) ?? null] : []),
      groups.sampled[at] ?? null,
    ]);
  });
  const stages = ANOMALOUS.map((stage) => ({ label: title(stage), as: "percent" as const }));
  const last = withBefore ? [{ label: "Period before", as: "percent" as const }] : [];
  return { columns: [{ label: what }, { label: "Time (UTC)" }, ...stages, ...last, { label: "Sampled", as: "count" }], rows };
}

/** What a file or a citation says about a figure. */
export function provenance(heading: string, state: State, answer: Pick<Answer, "meta" | "ranges">, place: Place = state.place): Provenance {
  const [from, to] = answer.ranges[0] ?? [0, 0];
  return {
    title: heading,
    selection: shortName(place),
    period: rangeText(from, to),
    from,
    to,
    switches: switches(state),
    simulated: answer.meta.simulated === true,
  };
}
