// Pieces of time: a grid without holes, so that missing pieces show as gaps.

export interface Grid {
  /** Beginnings of the pieces. */
  times: number[];
  /** Position in the answer for each piece, -1 where it has none. */
  from: number[];
}

const WEEK = 604_800_000;
/** The epoch was a Thursday, weeks begin on Monday. */
export const floorTo = (time: number, step: number): number => {
  const shift = step === WEEK ? 3 * 86_400_000 : 0;
  return Math.floor((time + shift) / step) * step - shift;
};

/** All pieces of a range, whether an answer has something for them or not. */
export function grid(times: readonly number[], [start, end]: readonly [number, number], step: number): Grid {
  if (step <= 0) return { times: [...times], from: times.map((_, at) => at) };
  const known = new Map(times.map((time, at) => [floorTo(time, step), at]));
  const all: Grid = { times: [], from: [] };
  for (let time = floorTo(start, step); time < end; time += step) {
    all.times.push(Math.max(start, time));
    all.from.push(known.get(time) ?? -1);
  }
  return all;
}

/** A column of an answer on the grid; NaN where there is nothing. */
export const onGrid = (column: readonly number[], { from }: Grid): number[] =>
  from.map((at) => (at < 0 ? NaN : (column[at] ?? NaN)));

export type Span = readonly [number, number];

/** A piece of time as it is drawn: within the range. */
export interface Piece {
  at: number;
  from: number;
  to: number;
  /** How much of it has data, in milliseconds. */
  collected: number;
  /** All of it has data. */
  whole: boolean;
}

/** How long two times overlap, in milliseconds. */
export const overlap = ([a, b]: Span, [c, d]: Span): number => Math.max(0, Math.min(b, d) - Math.max(a, c));

/** The parts of a range of which there is no data, in order: what lies before and after `known`, and gaps within. */
export function missing(range: Span, known: Span, gaps: readonly Span[]): Span[] {
  const [from, to] = range;
  const all = [[from, Math.min(known[0], to)], ...gaps, [Math.max(known[1], from), to]] as const;
  const found: [number, number][] = [];
  for (const [a, b] of all.map(([a, b]): Span => [Math.max(a, from), Math.min(b, to)]).filter(([a, b]) => a < b).sort(([a], [b]) => a - b)) {
    const last = found.at(-1);
    if (last && a <= last[1]) last[1] = Math.max(last[1], b);
    else found.push([a, b]);
  }
  return found;
}

/** So much of a piece, in milliseconds, may be missing: segments do not end on the second. */
const TOLERATED = 60_000;

/** The pieces of a grid; `known` is the time of which there is data, but for gaps in it. */
export function pieces({ times }: Grid, range: Span, step: number, known: Span = range, gaps: readonly Span[] = []): Piece[] {
  const without = missing(range, known, gaps);
  return times.map((from, at) => {
    const to = Math.min(times[at + 1] ?? range[1], range[1]);
    const collected = to - from - without.reduce((sum, gap) => sum + overlap([from, to], gap), 0);
    return { at, from, to, collected, whole: step <= 0 || collected >= step - TOLERATED };
  });
}

export const middle = ({ from, to }: Pick<Piece, "from" | "to">): number => (from + to) / 2;

/** With fewer connections the share of a piece is mostly noise. */
export const FEW = 50;

/** Whether the share of a piece says nothing: less than half of it has data, and few connections. */
export const isStub = ({ collected }: Piece, step: number, sampled: number): boolean => collected < step / 2 && sampled < FEW;

/** Pieces that follow each other without a gap; one that is not whole is drawn by itself. */
export function runs(all: readonly Piece[], has: (at: number) => boolean): Piece[][] {
  const found: Piece[][] = [];
  let joins = false;
  for (const piece of all) {
    const there = has(piece.at);
    if (there && joins && piece.whole) found.at(-1)?.push(piece);
    else if (there) found.push([piece]);
    joins = there && piece.whole;
  }
  return found;
}

const DAY = 86_400_000;
/** A piece by itself is at least so wide, in pixels. */
const LEAST_WIDTH = 3;

/** Where the values of a run are drawn. Long pieces are steps; others are joined between their middles, and reach the run's ends. */
export function outline(run: readonly Piece[], step: number, x: (time: number) => number): { at: number; x: number }[] {
  if (run.length > 1 && step < DAY) {
    const points = run.map((piece) => ({ at: piece.at, x: x(middle(piece)) }));
    const [first, last] = [run[0], run.at(-1)];
    return [...(first ? [{ at: first.at, x: x(first.from) }] : []), ...points, ...(last ? [{ at: last.at, x: x(last.to) }] : [])];
  }
  const [only] = run.length === 1 ? run : [];
  const missing = only ? Math.max(0, LEAST_WIDTH - (x(only.to) - x(only.from))) / 2 : 0;
  return run.flatMap(({ at, from, to }) => [{ at, x: x(from) - missing }, { at, x: x(to) + missing }]);
}

/** The piece in which a time lies. */
export function pieceAt(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const mid = Math.ceil((low + high) / 2);
    if ((times[mid] ?? Infinity) <= time) low = mid;
    else high = mid - 1;
  }
  return low;
}
