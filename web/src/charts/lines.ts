// Lines over time, over each other on one scale; an earlier period is dashed.

import { h, s } from "../ui/dom";
import { clock, count, dayMonth, percent } from "../ui/format";
import { canvas, type Frame, hatched, responsive, timeAxis, timeScale, valueAxis, valueScale, type ValueUnit } from "./frame";
import { Reader } from "./interact";
import { drawMarks, type Mark } from "./marks";
import { polyline } from "./path";
import { incomplete, pieceTime } from "./stack";
import { floorTo, type Grid, grid, isStub, middle, onGrid, outline, type Piece, pieces, runs, type Span } from "./times";
import { uncertainty } from "./uncertainty";
import { zoneName } from "../ui/zone";

export interface Line {
  label: string;
  /** Class that gives the colour. */
  class: string;
  times: readonly number[];
  values: readonly number[];
  /** Connections. */
  sampled: readonly number[];
  dashed?: boolean;
  /** By how much its times are moved forward to lie over the others. */
  shift?: number;
}

export interface LinesSpec {
  label: string;
  range: Span;
  /** The time of which there is data, if it may be shorter than the range. */
  known?: Span;
  /** Times within it in which nothing was collected. */
  gaps?: readonly Span[];
  step: number;
  lines: readonly Line[];
  unit: ValueUnit;
  height?: number;
  marks?: readonly Mark[];
  zoom?: (from: number, to: number) => void;
}

const DAY = 86_400_000;

interface Drawn extends Line {
  on: number[];
  /** Connections, on the same pieces. */
  n: number[];
}

export function lineChart(spec: LinesSpec): HTMLDivElement {
  const all = grid([], spec.range, spec.step);
  const parts = pieces(all, spec.range, spec.step, spec.known, spec.gaps);
  const drawn: Drawn[] = spec.lines.map((one) => {
    const own = grid(one.times.map((time) => time + (one.shift ?? 0)), spec.range, spec.step);
    const sampled = onGrid(one.sampled, own);
    const says = (at: number): boolean => parts.length <= 2 || !isStub(parts[at] as Piece, spec.step, sampled[at] ?? 0);
    return { ...one, n: sampled, on: onGrid(one.values, own).map((n, at) => (one.dashed || says(at) ? n : NaN)) };
  });
  const height = spec.height ?? 300;
  let reader: Reader | null = null;
  const place = responsive(height, (width) => {
    const frame: Frame = { width, height, left: 52, right: 12, top: spec.marks?.length ? 22 : 12, bottom: 28 };
    const x = timeScale(spec.range, frame);
    const most = Math.max(0, ...drawn.flatMap((one) => one.on.filter(Number.isFinite)));
    const y = valueScale(most, frame);
    const svg = canvas(frame, spec.label, valueAxis(y, frame, spec.unit, 5), ...hatched(spec, x, frame), ...bands(spec, drawn, parts, x, y, frame), paths(spec, drawn, parts, x, y), ...(spec.marks ? [drawMarks(spec.marks, x, frame)] : []), timeAxis(x, frame));
    reader ??= new Reader(place, {
      label: spec.label,
      times: all.times,
      step: spec.step,
      range: spec.range,
      describe: (at) => box(spec, drawn, parts, at),
      speak: (at) => speak(spec, drawn, all, at),
      zoom: spec.zoom,
    });
    return reader.attach(svg, frame, x);
  });
  return place;
}

type To = (n: number) => number;

/** The intervals of the lines where they rest on few connections. */
const bands = ({ unit, step }: LinesSpec, drawn: readonly Drawn[], parts: readonly Piece[], x: To, y: To, frame: Frame): SVGPathElement[] =>
  unit === "share" ? drawn.filter(({ dashed }) => !dashed).map((one) => uncertainty({ parts, step, values: one.on, sampled: one.n, class: one.class }, x, y, frame)) : [];

function paths(spec: LinesSpec, drawn: readonly Drawn[], parts: readonly Piece[], x: To, y: To): SVGGElement {
  const layer = s("g", {});
  // Dashed ones lie below.
  for (const one of [...drawn].sort((a, b) => Number(b.dashed ?? false) - Number(a.dashed ?? false))) {
    // Whether an earlier period was whole has nothing to do with this one.
    const own = one.dashed ? parts.map((piece) => ({ ...piece, whole: true })) : parts;
    const all = runs(own, (at) => !Number.isNaN(one.on[at] ?? NaN));
    for (const [kind, some] of [["series", all.filter(([piece]) => piece?.whole)], ["partial-series", all.filter(([piece]) => !piece?.whole)]] as const) {
      const d = some.map((run) => polyline(outline(run, spec.step, x).map((point) => [point.x, y(one.on[point.at] ?? 0)]))).join("");
      if (d) layer.append(s("path", { class: `${kind} ${one.class}${one.dashed ? " dashed" : ""}`, d }));
    }
  }
  return layer;
}

const shown = (unit: ValueUnit, n: number): string => (Number.isNaN(n) ? "–" : unit === "share" ? percent(n) : count(n));

function box(spec: LinesSpec, drawn: readonly Drawn[], parts: readonly Piece[], at: number): HTMLElement {
  const rows = drawn.map((one) =>
    h(
      "tr",
      {},
      h("th", {}, h("span", { class: `swatch ${one.class}${one.dashed ? " hollow" : ""}` }), one.label),
      h("td", {}, shown(spec.unit, one.on[at] ?? NaN)),
    ),
  );
  const piece = parts[at];
  return h("div", {}, h("p", {}, `${pieceTime(piece?.from ?? 0, spec.step)} ${zoneName()}`), h("table", {}, h("tbody", {}, ...rows)), piece && incomplete(piece, spec.step));
}

function speak(spec: LinesSpec, drawn: readonly Drawn[], all: Grid, at: number): string {
  const time = all.times[at] ?? 0;
  return `${dayMonth(time)}, ${clock(time)} ${zoneName()}: ${drawn.map((one) => `${one.label} ${shown(spec.unit, one.on[at] ?? NaN)}`).join(", ")}`;
}

export interface Spark {
  /** What it shows: `Share over time`. */
  label: string;
  times: readonly number[];
  values: readonly number[];
  range: readonly [number, number];
  step: number;
  /** Class that gives the colour. */
  class: string;
  unit: ValueUnit;
  /** A time that is shaded. */
  marked?: readonly [number, number];
}

/** A small line without axes, beside a number that says how high it is; in words for who does not see it. */
export function sparkline(spec: Spark): SVGSVGElement {
  const { range, marked } = spec;
  const { times, values, step } = smoothed(spec);
  const frame: Frame = { width: 120, height: 26, left: 1, right: 1, top: 2, bottom: 2 };
  const all = grid(times, range, step);
  const parts = pieces(all, range, step);
  const on = onGrid(values, all);
  const x = timeScale(range, frame);
  const y = valueScale(Math.max(0, ...on.filter(Number.isFinite)), frame);
  const whole = parts.map((piece) => ({ ...piece, whole: true }));
  const d = runs(whole, (at) => !Number.isNaN(on[at] ?? NaN)).map((run) => polyline(run.map((piece) => [x(middle(piece)), y(on[piece.at] ?? 0)])));
  const path = s("path", { class: `series thin ${spec.class}`, d: d.join("") });
  const mark = marked && s("rect", { class: "mark", x: x(marked[0]), y: 0, width: Math.max(2, x(marked[1]) - x(marked[0])), height: frame.height });
  const words = `${spec.label}: ${inWords(spec)}`;
  return s("svg", { class: "spark", width: frame.width, height: frame.height, viewBox: `0 0 ${frame.width} ${frame.height}`, preserveAspectRatio: "none", role: "img", "aria-label": words }, s("title", {}, words), mark, path);
}

/** A small line has so many points at most. */
const MOST_POINTS = 60;

/** Means of so many values that a small line shows its course, not its noise. */
export function smoothed({ times, values, range, step }: Pick<Spark, "times" | "values" | "range" | "step">): Pick<Spark, "times" | "values" | "step"> {
  const together = Math.ceil((range[1] - range[0]) / step / MOST_POINTS);
  if (together < 2) return { times, values, step };
  const wide = step * together;
  const groups = new Map<number, number[]>();
  times.forEach((time, at) => {
    const value = values[at] ?? NaN;
    if (!Number.isFinite(value)) return;
    const start = floorTo(time, wide);
    groups.set(start, [...(groups.get(start) ?? []), value]);
  });
  const sorted = [...groups].sort(([a], [b]) => a - b);
  return { times: sorted.map(([start]) => start), values: sorted.map(([, own]) => own.reduce((sum, value) => sum + value, 0) / own.length), step: wide };
}

/** A line by its ends and its extremes: `2.0 % on 25 Oct, 3.1 % on 21 Nov; lowest 1.0 % on 2 Nov, highest 9.0 % on 7 Nov`. */
export function inWords({ times, values, step, unit }: Pick<Spark, "times" | "values" | "step" | "unit">): string {
  const known = values.map((value, at) => ({ value, time: times[at] ?? 0 })).filter(({ value }) => Number.isFinite(value));
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last) return "no values";
  const when = (time: number): string => (step < DAY ? `${dayMonth(time)}, ${clock(time)}` : dayMonth(time));
  const say = ({ value, time }: typeof first): string => `${shown(unit, value)} on ${when(time)}`;
  const extreme = (better: (a: number, b: number) => boolean): typeof first => known.reduce((best, one) => (better(one.value, best.value) ? one : best));
  return `${say(first)}, ${say(last)}; lowest ${say(extreme((a, b) => a < b))}, highest ${say(extreme((a, b) => a > b))}`;
}
