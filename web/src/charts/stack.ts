// Stacked areas over time: the anomalous stages.

import { h, s } from "../ui/dom";
import { clock, count, dayMonth, moment, percent, span } from "../ui/format";
import { canvas, type Frame, hatched, responsive, timeAxis, timeScale, valueAxis, valueScale, type ValueUnit } from "./frame";
import { Reader } from "./interact";
import { shareInterval } from "../stats/proportions";
import { drawMarks, type Mark } from "./marks";
import { between, type Point, polyline } from "./path";
import { type Grid, grid, isStub, onGrid, outline, type Piece, pieces, runs, type Span } from "./times";
import { fewRuns, uncertainty } from "./uncertainty";
import { zoneName } from "../ui/zone";

export interface Layer {
  label: string;
  /** Class that gives the colour. */
  class: string;
  values: readonly number[];
}

export interface StackSpec {
  label: string;
  times: readonly number[];
  range: Span;
  /** The time of which there is data, if it may be shorter than the range. */
  known?: Span;
  /** Times within it in which nothing was collected. */
  gaps?: readonly Span[];
  step: number;
  layers: readonly Layer[];
  unit: ValueUnit;
  /** Connections, for the box; on the times of the layers. */
  sampled: readonly number[];
  height?: number;
  /** The top of the scale, where several charts share it. */
  max?: number;
  marks?: readonly Mark[];
  /** Dashed line over it: an earlier period, moved forward by `shift`. */
  before?: { label: string; times: readonly number[]; values: readonly number[]; shift: number } | undefined;
  zoom?: (from: number, to: number) => void;
  small?: boolean;
  /** Stand over it in pictures of several charts. */
  title?: string;
  note?: string;
}

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
  const parts = pieces(all, spec.range, spec.step, spec.known, spec.gaps);
  const sampled = onGrid(spec.sampled, all);
  const isHidden = (piece: Piece): boolean => spec.unit === "share" && parts.length > 2 && isStub(piece, spec.step, sampled[piece.at] ?? 0);
  const hidden = new Set(parts.filter(isHidden).map(({ at }) => at));
  const layers = spec.layers.map((layer) => ({ ...layer, values: onGrid(layer.values, all).map((n, at) => (hidden.has(at) ? NaN : n)) }));
  const before = spec.before && onGrid(spec.before.values, grid(spec.before.times.map((time) => time + (spec.before?.shift ?? 0)), spec.range, spec.step));
  const height = spec.height ?? 320;
  let reader: Reader | null = null;
  const place = responsive(height, (width) => {
    const frame = frameOf(width, height, spec);
    const { svg, x } = draw(spec, parts, layers, sampled, before, frame);
    reader ??= new Reader(place, {
      label: spec.label,
      times: all.times,
      step: spec.step,
      range: spec.range,
      describe: (at) => box(spec, parts, layers, sampled, before, at),
      speak: (at) => speak(spec, all, layers, at),
      zoom: spec.zoom,
    });
    return reader.attach(svg, frame, x);
  });
  return place;
}

function frameOf(width: number, height: number, spec: StackSpec): Frame {
  if (spec.small) return { width, height, left: 40, right: 6, top: 8, bottom: 24 };
  return { width, height, left: 52, right: 12, top: spec.marks?.length ? 22 : 12, bottom: 28 };
}

function draw(spec: StackSpec, parts: readonly Piece[], layers: readonly Layer[], sampled: readonly number[], before: readonly number[] | undefined, frame: Frame) {
  const max = spec.max ?? Math.max(highest(layers, parts.length), ...(before ?? []).filter(Number.isFinite));
  const x = timeScale(spec.range, frame);
  const ticks = spec.small ? 3 : 5;
  const y = valueScale(max, frame, ticks);
  const svg = canvas(frame, spec.label, valueAxis(y, frame, spec.unit, ticks), ...hatched(spec, x, frame), areas(spec, parts, layers, frame, x, y), ...few(spec, parts, layers, sampled, x, y, frame));
  if (before) svg.append(beforeLine(before, spec, parts, x, y));
  if (spec.title) svg.dataset["title"] = spec.title;
  if (spec.note) svg.dataset["note"] = spec.note;
  if (spec.marks) svg.append(drawMarks(spec.marks, x, frame));
  svg.append(timeAxis(x, frame));
  return { svg, x };
}

type To = (n: number) => number;

/** Pale where there are few connections, since shares jump there for that reason alone, with the interval of the total. */
function few({ unit, step }: StackSpec, parts: readonly Piece[], layers: readonly Layer[], sampled: readonly number[], x: To, y: To, frame: Frame): SVGElement[] {
  if (unit !== "share") return [];
  const pale = fewRuns(parts, sampled).map((run) => {
    const [from, to] = [run[0]?.from ?? 0, run.at(-1)?.to ?? 0];
    return s("rect", { class: "few", x: x(from), width: Math.max(0, x(to) - x(from)), y: frame.top, height: frame.height - frame.top - frame.bottom });
  });
  const total = parts.map((_, at) => layers.reduce((sum, { values }) => sum + (values[at] ?? NaN), 0));
  return [...pale, uncertainty({ parts, step, values: total, sampled, class: "of-total" }, x, y, frame)];
}

/** The layers. What is not whole looks unlike the rest: its counts are lower for that reason alone. */
function areas(spec: StackSpec, parts: readonly Piece[], layers: readonly Layer[], frame: Frame, x: To, y: To): SVGGElement {
  // The lower edge of each layer, and at last the upper edge of all.
  const edges = [parts.map(() => 0)];
  for (const { values } of layers) edges.push(parts.map((_, at) => (edges.at(-1)?.[at] ?? 0) + (values[at] || 0)));
  const all = runs(parts, (at) => !Number.isNaN(layers[0]?.values[at] ?? NaN));
  // Lines between areas would be all that is seen of dense series.
  const group = s("g", { class: parts.length * 3 > frame.width ? "areas dense" : "areas" });
  const draw = (some: readonly Piece[][], kind: string): void =>
    layers.forEach((layer, of) => {
      const edge = (run: readonly Piece[], at: number): Point[] => outline(run, spec.step, x).map((point) => [point.x, y(edges[at]?.[point.at] ?? 0)]);
      const d = some.map((run) => between(edge(run, of + 1), edge(run, of))).join("");
      if (d) group.append(s("path", { class: `area ${kind}${layer.class}`, d }));
    });
  const [whole, cut] = [all.filter(([piece]) => piece?.whole), all.filter(([piece]) => !piece?.whole)];
  draw(whole, "");
  draw(cut, "partial ");
  for (const run of cut) {
    const [{ at = 0, x: left = 0 } = {}, { x: right = 0 } = {}] = outline(run, spec.step, x);
    const top = y(edges.at(-1)?.[at] ?? 0);
    group.append(s("rect", { class: "partial-edge", x: left, width: right - left, y: top, height: Math.max(0, y(0) - top) }));
  }
  return group;
}

function beforeLine(values: readonly number[], { step }: StackSpec, parts: readonly Piece[], x: To, y: To): SVGPathElement {
  const all = runs(parts.map((piece) => ({ ...piece, whole: true })), (at) => !Number.isNaN(values[at] ?? NaN));
  const d = all.map((run) => polyline(outline(run, step, x).map((point) => [point.x, y(values[point.at] ?? 0)])));
  return s("path", { class: "before", d: d.join("") });
}

const shown = (unit: ValueUnit, n: number): string => (Number.isNaN(n) ? "–" : unit === "share" ? percent(n) : count(n));

/** When a piece of time is: `Sat 21 Nov 2026, 14:00 to 15:00`. */
export function pieceTime(time: number, step: number): string {
  if (step >= 86_400_000) return step > 86_400_000 ? `from ${moment(time)}` : moment(time).replace(/, 00:00$/, "");
  return `${moment(time)} to ${clock(time + step)}`;
}

function box(spec: StackSpec, parts: readonly Piece[], layers: readonly Layer[], sampled: readonly number[], earlier: readonly number[] | undefined, at: number): HTMLElement {
  const piece = parts[at] ?? { at, from: 0, to: 0, collected: 0, whole: false };
  const rows = [...layers].reverse().map((layer) =>
    h("tr", {}, h("th", {}, h("span", { class: `swatch ${layer.class}` }), layer.label), h("td", {}, shown(spec.unit, layer.values[at] ?? NaN))),
  );
  const sum = layers.reduce((all, layer) => all + (layer.values[at] ?? NaN), 0);
  if (layers.length > 1) rows.unshift(h("tr", { class: "sum" }, h("th", {}, "Total"), h("td", {}, shown(spec.unit, sum))));
  const before = earlier?.[at];
  if (spec.before && before !== undefined) rows.push(h("tr", { class: "then" }, h("th", {}, spec.before.label), h("td", {}, shown(spec.unit, before))));
  const n = sampled[at] ?? NaN;
  return h(
    "div",
    {},
    h("p", {}, `${pieceTime(piece.from, spec.step)} ${zoneName()}`),
    h("table", {}, h("tbody", {}, ...rows)),
    h("p", { class: "muted" }, piece.collected === 0 ? "No data was collected" : Number.isNaN(n) ? "No connections" : `${count(n)} sampled${spec.unit === "share" && n > 0 && Number.isFinite(sum) ? `; 95 % interval of the total: ${shareInterval(sum, n).map(percent).join(" to ")}` : ""}`),
    incomplete(piece, spec.step),
  );
}

/** That a piece is not whole. */
export function incomplete({ whole, collected }: Piece, step: number): HTMLElement | null {
  return whole || collected === 0 ? null : h("p", { class: "muted" }, `Incomplete: ${span(collected)} of ${span(step)}`);
}

function speak(spec: StackSpec, all: Grid, layers: readonly Layer[], at: number): string {
  const time = all.times[at] ?? 0;
  const values = layers.map((layer) => `${layer.label} ${shown(spec.unit, layer.values[at] ?? NaN)}`);
  return `${dayMonth(time)}, ${clock(time)} ${zoneName()}: ${values.join(", ")}`;
}
