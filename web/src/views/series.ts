// What several views make of a stage series: layers, headline numbers, tables, words.

import { type Answer, column, type Groups, shareAt, total } from "../api/answers";
import { shortName, switches } from "../app";
import type { OverTime } from "../api/radar";
import { FEW, grid, isStub, missing, onGrid, type Piece, pieces, type Span } from "../charts/times";
import type { Layer } from "../charts/stack";
import { type Place } from "../state/place";
import { ANOMALOUS, type Anomalous, type Stage, STAGES, stageClass, title } from "../state/stage";
import type { State } from "../state/url";
import { h } from "../ui/dom";
import { many, range as rangeText, span } from "../ui/format";
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

const STEP_NAMES: Record<number, string> = { 900_000: "15 minutes", 3_600_000: "hour", 86_400_000: "day", 604_800_000: "week" };
export const stepName = (step: number): string => STEP_NAMES[step] ?? "piece of time";

/** `groups` tell whether counts are estimates, `completed` that only completed handshakes count. */
export function unitText(counts: boolean, step: number, groups?: Groups, completed = false): string {
  const what = completed ? "completed handshakes" : "connections";
  if (!counts) return `Share of ${what} per ${stepName(step)}`;
  const known = groups && isEstimate(groups) ? `Estimated ${what}` : `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  return `${known} per ${stepName(step)}`;
}

/** Whether sampled connections stand for more than themselves. */
export const isEstimate = (groups: Groups): boolean => total(groups.weight) > 1.005 * total(groups.sampled);

/** That pieces are not whole, and how that is drawn. */
export function incompleteNote({ ranges, step, known, gaps, series }: Pick<OverTime, "ranges" | "step" | "known" | "gaps" | "series">, few: Few): HTMLElement | null {
  const range = ranges[0] ?? [0, 0];
  const said = [...dashed(range, step, known, gaps), ...hatchedFor(range, step, known, gaps), ...fewIn({ ranges, step, known, gaps, series }, few)];
  return said.length ? h("p", { class: "muted cut" }, said.join(" ")) : null;
}

function dashed(range: Span, step: number, known: Span, gaps: readonly Span[]): string[] {
  const cut = pieces(grid([], range, step), range, step, known, gaps).filter(({ whole, collected }) => !whole && collected > 0);
  if (cut.length === 0) return [];
  const [first, last] = [(cut[0]?.from ?? 0) <= Math.max(range[0], known[0]), (cut.at(-1)?.to ?? 0) >= Math.min(range[1], known[1])];
  if (cut.length > Number(first) + Number(last)) return [`Dashed: ${many(cut.length, `incomplete ${PIECES[step] ?? "interval"}`)}.`];
  return [`${whichOf(first, last, range, step)} incomplete (dashed).`];
}

function whichOf(first: boolean, last: boolean, [from, to]: Span, step: number): string {
  const name = stepName(step);
  const are = name.endsWith("s") || (first && last) ? "are" : "is";
  if (to - from <= step) return `${are === "are" ? "These" : "This"} ${name} ${are}`;
  return `The ${[first ? "first" : "", last ? "last" : ""].filter(Boolean).join(" and the ")} ${name} ${are}`;
}

const PIECES: Record<number, string> = { 900_000: "quarter-hour", 3_600_000: "hour", 86_400_000: "day", 604_800_000: "week" };

/** That nothing was collected, if that is long enough to be seen: longer than the latest minutes, unless the whole time is short. */
function hatchedFor(range: Span, step: number, known: Span, gaps: readonly Span[]): string[] {
  const length = missing(range, known, gaps).filter(([from, to]) => to - from >= Math.min(step, 3_600_000, (range[1] - range[0]) / 50)).reduce((sum, [from, to]) => sum + to - from, 0);
  return length ? [`Hatched: no data was collected (${span(length)} in all).`] : [];
}

/** How a chart shows that some pieces have few connections; counts are as they are. */
export type Few = "areas" | "lines" | "counts";
const FEW_TEXTS: Record<Few, string | null> = {
  areas: `Pale, with the 95 % interval of the total as a band: fewer than ${FEW} connections sampled.`,
  lines: `Bands: the 95 % interval, where fewer than ${FEW} connections were sampled.`,
  counts: null,
};

function fewIn({ ranges, step, known, gaps, series }: Pick<OverTime, "ranges" | "step" | "known" | "gaps" | "series">, few: Few): string[] {
  const text = FEW_TEXTS[few];
  const range: Span = ranges[0] ?? [0, 0];
  const parts = pieces(grid([], range, step), range, step, known, gaps);
  const isFew = (n: number, part: Piece | undefined): boolean => n > 0 && n < FEW && part !== undefined && !isStub(part, step, n);
  return text && series.some(({ times, sampled }) => onGrid(sampled, grid(times, range, step)).some((n, at) => isFew(n, parts[at]))) ? [text] : [];
}

const iso = (time: number): string => new Date(time).toISOString().slice(0, 16) + "Z";

/** A stage series as rows: time, shares or counts, connections sampled. */
export function stageTable(groups: Groups, counts: boolean): Table {
  const of = STAGES.map((stage) => column(groups, stage)).map(({ share, weight }) => (counts ? weight : share));
  const as = counts ? ("count" as const) : ("percent" as const);
  const called = (name: string): string => (counts && isEstimate(groups) ? `${name} (estimated)` : name);
  return {
    columns: [{ label: "Time (UTC)" }, ...STAGES.map((stage) => ({ label: called(title(stage)), as })), ...(counts ? [{ label: called("All"), as }] : []), { label: counts ? "All (sampled)" : "Sampled", as: "count" }],
    rows: groups.times.map((time, at) => [iso(time), ...of.map((values) => values[at] ?? null), ...(counts ? [groups.weight[at] ?? null] : []), groups.sampled[at] ?? null]),
  };
}

export interface NamedSeries {
  name: string;
  groups: Groups;
  /** An earlier period, which is moved forward by `shift`. */
  before?: Groups | undefined;
  shift?: number;
}

/** Several stage series as rows: whose, time, shares, counts. */
export function seriesTable(what: string, all: readonly NamedSeries[], earlier = ""): Table {
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
  const last = withBefore ? [{ label: earlier, as: "percent" as const }] : [];
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
