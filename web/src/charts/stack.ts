// Stacked areas over time: the anomalous stages.

import { area, line, stack } from "d3-shape";
import { h, s } from "../ui/dom";
import { clock, count, dayMonth, moment, percent } from "../ui/format";
import { canvas, type Frame, responsive, timeAxis, timeScale, valueAxis, valueScale, type ValueUnit } from "./frame";
import { Reader } from "./interact";
import { drawMarks, type Mark } from "./marks";
import { type Grid, grid, middle, onGrid } from "./times";

export interface Layer {
  label: string;
  /** Class that gives the colour. */
  class: string;
  values: readonly number[];
}

export interface StackSpec {
  label: string;
  times: readonly number[];
  range: readonly [number, number];
  step: number;
  layers: readonly Layer[];
  unit: ValueUnit;
  /** Connections, for the box; on the times of the layers. */
  sampled: readonly number[];
  height?: number;
  /** The top of the scale, where several charts share it. */
  max?: number;
  marks?: readonly Mark[];
  /** Dashed line over it: the period before, moved forward by `shift`. */
  before?: { label: string; times: readonly number[]; values: readonly number[]; shift: number } | undefined;
  zoom?: (from: number, to: number) => void;
  small?: boolean;
  /** Stands over it in pictures of several charts. */
  title?: string;
}

type Row = Record<string, number>;

/** The highest sum of the layers. */
export const highest = (layers: readonly Layer[], length: number): number => {
  let most = 0;
  for (let at = 0; at < length; at++) {
    const sum = layers.reduce((all, layer) => all + (layer.values[at] ?? 0), 0);
    if (sum > most) most = sum;
  }
  return most;
};

export function stackChart(spec: StackSpec): HTMLDivElement {
  const all = grid(spec.times, spec.range, spec.step);
  const sampled = onGrid(spec.sampled, all);
  const stub = (at: number): boolean => spec.unit === "share" && isStub(spec, all, sampled, at);
  const layers = spec.layers.map((layer) => ({ ...layer, values: onGrid(layer.values, all).map((n, at) => (stub(at) ? NaN : n)) }));
  const before = spec.before && onGrid(spec.before.values, grid(spec.before.times.map((time) => time + (spec.before?.shift ?? 0)), spec.range, spec.step));
  const height = spec.height ?? 320;
  let reader: Reader | null = null;
  const place = responsive(height, (width) => {
    const frame = frameOf(width, height, spec);
    const { svg, x } = draw(spec, all, layers, before, frame);
    reader ??= new Reader(place, {
      times: all.times,
      step: spec.step,
      range: spec.range,
      describe: (at) => box(spec, all, layers, sampled, before, at),
      speak: (at) => speak(spec, all, layers, at),
      zoom: spec.zoom,
    });
    return reader.attach(svg, frame, x);
  });
  return place;
}

/** With fewer connections a cut piece of time at the edge shows a share that means nothing. */
const STUB = 50;

/** Whether a piece is less than half as long as others because the range ends within it, and nearly empty. */
function isStub({ range, step }: StackSpec, { times }: Grid, sampled: readonly number[], at: number): boolean {
  const begin = times[at] ?? 0;
  const end = Math.min(times[at + 1] ?? range[1], range[1]);
  return times.length > 2 && end - begin < step / 2 && (sampled[at] ?? 0) < STUB;
}

function frameOf(width: number, height: number, spec: StackSpec): Frame {
  if (spec.small) return { width, height, left: 40, right: 6, top: 8, bottom: 24 };
  return { width, height, left: 52, right: 12, top: spec.marks?.length ? 22 : 12, bottom: 28 };
}

function draw(spec: StackSpec, all: Grid, layers: readonly Layer[], before: readonly number[] | undefined, frame: Frame) {
  const max = spec.max ?? Math.max(highest(layers, all.times.length), ...(before ?? []).filter(Number.isFinite));
  const x = timeScale(spec.range, frame);
  const ticks = spec.small ? 3 : 5;
  const y = valueScale(max, frame, ticks);
  const rows = all.times.map((_, at): Row => Object.fromEntries(layers.map((layer, of) => [of, layer.values[at] ?? NaN])));
  const keys = layers.map((_, at) => String(at));
  const stacked = stack<Row>().keys(keys).value((row, key) => row[key] || 0)(rows);
  const has = (at: number): boolean => !Number.isNaN(rows[at]?.["0"] ?? NaN);
  const xs = positions(all, spec, x);
  // Lines between areas would be all that is seen of dense series.
  const areas = s("g", { class: all.times.length * 3 > frame.width ? "areas dense" : "areas" });
  const shape = area<[number, number]>()
    .defined((_, at) => has(at))
    .x((_, at) => xs[at] ?? 0)
    .y0((point) => y(point[0]))
    .y1((point) => y(point[1]));
  stacked.forEach((series, of) => {
    const points = series.map((point): [number, number] => [point[0], point[1]]);
    areas.append(s("path", { class: `area ${layers[of]?.class ?? ""}`, d: shape(points) ?? "" }));
  });
  areas.append(...lonely(stacked.map((series) => series.map((p) => [p[0], p[1]])), layers, has, xs, y));
  const svg = canvas(frame, spec.label, valueAxis(y, frame, spec.unit, ticks), areas);
  if (before) svg.append(beforeLine(before, xs, y));
  if (spec.title) svg.dataset["title"] = spec.title;
  if (spec.marks) svg.append(drawMarks(spec.marks, x, frame));
  svg.append(timeAxis(x, frame));
  return { svg, x };
}

/** Where pieces are drawn: in their middle, but the outermost reach the edges. */
function positions(all: Grid, spec: StackSpec, x: (time: number) => number): number[] {
  const last = all.times.length - 1;
  return all.times.map((time, at) => {
    if (last > 2 && at === 0) return x(spec.range[0]);
    if (last > 2 && at === last) return x(spec.range[1]);
    return x(middle(time, spec.step, spec.range[1]));
  });
}

/** A piece of time between gaps has no width as an area: a thin bar shows it. */
function lonely(stacked: number[][][], layers: readonly Layer[], has: (at: number) => boolean, xs: number[], y: (n: number) => number): SVGRectElement[] {
  const alone = xs.map((_, at) => at).filter((at) => has(at) && !has(at - 1) && !has(at + 1));
  return alone.flatMap((at) =>
    stacked.map((series, of) => {
      const [low = 0, high = 0] = series[at] ?? [];
      return s("rect", { class: `area ${layers[of]?.class ?? ""}`, x: (xs[at] ?? 0) - 1.5, width: 3, y: y(high), height: Math.max(0, y(low) - y(high)) });
    }),
  );
}

function beforeLine(values: readonly number[], xs: number[], y: (n: number) => number): SVGPathElement {
  const shape = line<number>()
    .defined((n) => !Number.isNaN(n))
    .x((_, at) => xs[at] ?? 0)
    .y((n) => y(n));
  return s("path", { class: "before", d: shape([...values]) ?? "" });
}

const shown = (unit: ValueUnit, n: number): string => (Number.isNaN(n) ? "–" : unit === "share" ? percent(n) : count(n));

/** When a piece of time is: `Sat 21 Nov 2026, 14:00 to 15:00`. */
export function pieceTime(time: number, step: number): string {
  if (step >= 86_400_000) return step > 86_400_000 ? `from ${moment(time)}` : moment(time).replace(/, 00:00$/, "");
  return `${moment(time)} to ${clock(time + step)}`;
}

function box(spec: StackSpec, all: Grid, layers: readonly Layer[], sampled: readonly number[], earlier: readonly number[] | undefined, at: number): HTMLElement {
  const time = all.times[at] ?? 0;
  const rows = [...layers].reverse().map((layer) =>
    h("tr", {}, h("th", {}, h("span", { class: `swatch ${layer.class}` }), layer.label), h("td", {}, shown(spec.unit, layer.values[at] ?? NaN))),
  );
  const sum = layers.reduce((all, layer) => all + (layer.values[at] ?? NaN), 0);
  if (layers.length > 1) rows.unshift(h("tr", { class: "sum" }, h("th", {}, "Together"), h("td", {}, shown(spec.unit, sum))));
  const before = earlier?.[at];
  if (spec.before && before !== undefined) rows.push(h("tr", { class: "then" }, h("th", {}, spec.before.label), h("td", {}, shown(spec.unit, before))));
  const n = sampled[at] ?? NaN;
  return h(
    "div",
    {},
    h("p", {}, `${pieceTime(time, spec.step)} UTC`),
    h("table", {}, h("tbody", {}, ...rows)),
    h("p", { class: "muted" }, Number.isNaN(n) ? "no connections" : `${count(n)} sampled`),
  );
}

function speak(spec: StackSpec, all: Grid, layers: readonly Layer[], at: number): string {
  const time = all.times[at] ?? 0;
  const values = layers.map((layer) => `${layer.label} ${shown(spec.unit, layer.values[at] ?? NaN)}`);
  return `${dayMonth(time)}, ${clock(time)} UTC: ${values.join(", ")}`;
}
