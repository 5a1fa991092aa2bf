// Small charts side by side on one scale, each against the whole, so that one that differs stands out.

import { type Groups, shareAt, total } from "../api/answers";
import * as radar from "../api/radar";
import type { Asked } from "../api/question";
import type { App } from "../app";
import { listMarks, type Mark } from "../charts/marks";
import { highest, type Layer, stackChart } from "../charts/stack";
import { ANOMALOUS, type Metric, stageClass, title } from "../state/stage";
import { type State, type Step, stepOf } from "../state/url";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { figure } from "../ui/figure";
import { compact, percent, points } from "../ui/format";
import type { Provenance } from "../ui/download";
import { anomalous, incompleteNote, layersOf, seriesTable, stepName } from "./series";

/** So many connections in a piece of time make a line that a small chart can show. */
const SMOOTH = 100;
/** And so many pieces are as many as its pixels show. */
const MOST_PIECES = 200;
const STEPS: Record<number, string> = { 900_000: "15m", 3_600_000: "1h", 86_400_000: "1d", 604_800_000: "1w" };

export interface Cell {
  key: string;
  name: string;
  title: string;
  share: number;
  sampled: number;
  /** The 95 % interval, where it is to be said. */
  interval?: readonly [number, number];
  /** By how many points it differs from the whole; 0 if it does not. */
  apart: number;
  /** What its name leads to. */
  link: Partial<State>;
  asked: Asked;
}

export interface MultiplesSpec {
  key: string;
  /** What each chart is of: `Network`. */
  what: string;
  heading: string;
  cells: readonly Cell[];
  whole: { name: string; asked: Asked; share: number; sampled: number };
  source: (answer: Pick<radar.OverTime, "meta" | "ranges">) => Provenance;
  below?: Child;
  /** Spans on every chart, which the list below explains. */
  marks?: readonly Mark[];
}

/** The API's limit of series in a question. */
const MOST_SERIES = 20;

export async function multiples(app: App, spec: MultiplesSpec): Promise<HTMLElement> {
  const { state } = app;
  const { cells, whole } = spec;
  const [first, ...others] = await inChunks(spec, stepOf(state));
  if (!first) return h("div");
  const all = first.series[0];
  const series = [first.series.slice(1), ...others].flat();
  const layers = series.map((groups) => layersFor(state, groups));
  const line = all && { label: whole.name, times: all.times, shift: 0, values: state.metric === "any" ? anomalous(all) : all.times.map((_, at) => shareAt(all, state.metric, at)) };
  const max = scaleTop(layers, series);
  const drawn = cells.map((cell, at) => {
    const groups = series[at];
    if (!groups) return null;
    const chart = stackChart({
      label: `${cell.name}: share over time`,
      times: groups.times,
      range: first.ranges[0] ?? [0, 0],
      known: first.known,
      gaps: first.gaps,
      step: first.step,
      layers: layers[at] ?? [],
      unit: "share",
      sampled: groups.sampled,
      height: 128,
      max,
      before: line,
      ...(spec.marks ? { marks: spec.marks } : {}),
      small: true,
      title: cell.name,
      note: `${percent(cell.share)} of ${compact(cell.sampled)} sampled${cell.apart === 0 ? "" : `, ${points(cell.apart)}`}`,
    });
    return cellOf(app, cell, whole.name, chart);
  });
  return figure({
    store: app.store,
    key: spec.key,
    title: spec.heading,
    sub: `Share of ${whole.asked.completed ? "completed handshakes" : "connections"} per ${stepName(first.step)}; all charts have the same scale; the dashed line is ${whole.name}, ${percent(whole.share)} of ${compact(whole.sampled)} sampled`,
    body: h("div", { class: "multiples" }, ...drawn),
    table: () => seriesTable(spec.what, series.map((groups, at) => ({ name: cells[at]?.name ?? "", groups }))),
    source: spec.source(first),
    legend: h(
      "div",
      { class: "legend" },
      ...(state.metric === "any" ? ANOMALOUS.filter((stage) => stage !== "post_syn" || !whole.asked.completed) : [state.metric]).map((stage) => h("span", { class: stageClass(stage), "data-legend": title(stage) }, h("span", { class: "swatch" }), title(stage))),
      h("span", { "data-legend": whole.name }, h("span", { class: "dash" }), whole.name),
    ),
    below: h("div", {}, listMarks(spec.marks ?? []), incompleteNote(first, "areas"), spec.below),
  });
}

/** The whole and all cells over time; the first ones set how finely time is cut, for all. */
async function inChunks({ cells, whole }: MultiplesSpec, step: Step): Promise<[radar.OverTime, ...Groups[][]]> {
  const asked = [whole.asked, ...cells.map((cell) => cell.asked)];
  const first = await radar.stagesOverTime(asked.slice(0, MOST_SERIES), { led: MOST_SERIES, rank: 0.5, few: SMOOTH, most: MOST_PIECES, step });
  const rest = Array.from({ length: Math.ceil(asked.length / MOST_SERIES) - 1 }, (_, at) => asked.slice((at + 1) * MOST_SERIES, (at + 2) * MOST_SERIES));
  const same = [["aggInterval", STEPS[first.step] ?? "1h"]] as const;
  const others = await Promise.all(rest.map((chunk) => radar.timeseries("stage", chunk, same)));
  return [first, ...others.map(({ series }) => series)];
}

function layersFor({ metric, hidden }: State, groups: Groups): Layer[] {
  if (metric === "any") return layersOf(groups, false, hidden);
  return [{ label: title(metric), class: stageClass(metric), values: groups.times.map((_, at) => shareAt(groups, metric, at)) }];
}

/** Sparse ones jump to 100 %. */
function scaleTop(layers: readonly (readonly Layer[])[], series: readonly Groups[]): number {
  const tops = layers.map((own, at) => highest(own, series[at]?.times.length ?? 0)).sort((a, b) => a - b);
  return Math.min(100, tops.at(-1) ?? 100);
}

function cellOf(app: App, cell: Cell, whole: string, chart: HTMLElement): HTMLElement {
  const { apart, interval } = cell;
  const badge = apart === 0 ? null : h("span", { class: `badge ${apart > 0 ? "above" : "below"}`, title: `Against ${whole}` }, points(apart));
  return h(
    "div",
    { class: "cell" },
    h("h3", {}, stateLink(app.store, cell.link, { key: `cell:${cell.key}`, title: cell.title }, cell.name)),
    h(
      "p",
      { class: "cell-numbers" },
      h("span", {}, h("strong", {}, percent(cell.share)), h("span", { class: "muted", title: interval ? "With the 95 % interval" : null }, interval ? ` (${percent(interval[0])} to ${percent(interval[1])})` : "", ` of ${compact(cell.sampled)} sampled`)),
      badge,
    ),
    chart,
  );
}

/** The connections of a series that a metric counts. */
export const matching = (groups: Groups, metric: Metric): number =>
  total((metric === "any" ? ANOMALOUS : [metric]).flatMap((stage) => groups.by.get(stage)?.sampled ?? []));
