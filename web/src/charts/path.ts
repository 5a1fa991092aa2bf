// The shapes of paths.

export type Point = readonly [number, number];

/** A line through points. */
export const polyline = (points: readonly Point[]): string => (points.length ? `M${points.map(([x, y]) => `${Number(x.toFixed(2))},${Number(y.toFixed(2))}`).join("L")}` : "");

/** The area between two lines. */
export const between = (upper: readonly Point[], lower: readonly Point[]): string => (upper.length ? `${polyline([...upper, ...[...lower].reverse()])}Z` : "");
