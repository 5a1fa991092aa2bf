// Between which shares a value lies, where few connections were sampled.

import { shareInterval } from "../stats/proportions";
import { s } from "../ui/dom";
import type { Frame } from "./frame";
import { between, type Point } from "./path";
import { FEW, outline, type Piece, runs } from "./times";

export interface Uncertain {
  parts: readonly Piece[];
  step: number;
  /** Shares, in percent. */
  values: readonly number[];
  sampled: readonly number[];
  /** Class that gives the colour. */
  class: string;
}

/** Pieces with few connections, as runs. */
export const fewRuns = (parts: readonly Piece[], sampled: readonly number[]): Piece[][] => runs(parts.map((piece) => ({ ...piece, whole: true })), (at) => (sampled[at] ?? NaN) < FEW);

/** The 95 % interval there, as a band. It may reach over the scale's top. */
export function uncertainty({ parts, step, values, sampled, class: kind }: Uncertain, x: (time: number) => number, y: (value: number) => number, frame: Frame): SVGPathElement {
  const known = sampled.map((n, at) => (n > 0 && Number.isFinite(values[at]) ? n : NaN));
  const edge = (run: readonly Piece[], side: 0 | 1): Point[] =>
    outline(run, step, x).map((point) => [point.x, Math.max(frame.top, y(shareInterval(values[point.at] ?? NaN, known[point.at] ?? NaN)[side]))]);
  const d = fewRuns(parts, known).map((run) => between(edge(run, 1), edge(run, 0)));
  return s("path", { class: `uncertain ${kind}`, d: d.join("") });
}
