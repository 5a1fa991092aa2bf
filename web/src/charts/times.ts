// Pieces of time: a grid without holes, so that missing pieces show as gaps.

export interface Grid {
  /** Beginnings of the pieces. */
  times: number[];
  /** Position in the answer for each piece, -1 where it has none. */
  from: number[];
}

const WEEK = 604_800_000;
/** The epoch was a Thursday, weeks begin on Monday. */
const floorTo = (time: number, step: number): number => {
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

/** Whether the first and the last piece are cut by the range. */
export const isCut = ([start, end]: readonly [number, number], step: number): [boolean, boolean] =>
  step > 0 ? [floorTo(start, step) !== start, floorTo(end, step) !== end] : [false, false];

/** Where a piece of time is drawn: its middle, within the range. */
export const middle = (time: number, step: number, end: number): number => (time + Math.min(time + step, end)) / 2;

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
