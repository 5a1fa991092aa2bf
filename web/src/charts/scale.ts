// Linear scales, and the ticks of both axes.

import { nice, ticks } from "d3-array";
import { utcTicks } from "d3-time";
import { fromZone, inZone } from "../ui/zone";

export interface Scale {
  (value: number): number;
  domain: readonly [number, number];
  invert(at: number): number;
  ticks(n: number): number[];
}

function linear(domain: readonly [number, number], range: readonly [number, number], marks: (n: number) => number[]): Scale {
  const [[a, b], [from, to]] = [domain, range];
  const slope = b === a ? 0 : (to - from) / (b - a);
  const scale = (value: number): number => from + (value - a) * slope;
  return Object.assign(scale, { domain, invert: (at: number) => (slope === 0 ? a : a + (at - from) / slope), ticks: marks });
}

/** Values from 0 to at least `max`, which ends at a round number. */
export function valueScaleTo(max: number, range: readonly [number, number], steps: number): Scale {
  const top = nice(0, max > 0 ? max : 1, steps)[1];
  return linear([0, top], range, (n) => ticks(0, top, n));
}

/** Times in milliseconds; ticks at round times of the zone. */
export const utcScale = (domain: readonly [number, number], range: readonly [number, number]): Scale =>
  linear(domain, range, (n) => utcTicks(new Date(inZone(domain[0])), new Date(inZone(domain[1])), n).map((tick) => fromZone(Number(tick))));
