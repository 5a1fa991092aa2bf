// Shares of samples: how exact they are, and whether some differ from the rest.

/** `matching` of `sampled` connections. */
export interface Sample {
  name: string;
  matching: number;
  sampled: number;
}

/** Of the normal distribution: 2.5 % lie above it. */
const Z95 = 1.959964;

/** The 95 % interval of a share by Wilson, in percent. */
export function interval(matching: number, sampled: number): [number, number] {
  if (sampled <= 0) return [NaN, NaN];
  const p = matching / sampled;
  const z2 = (Z95 * Z95) / sampled;
  const middle = p + z2 / 2;
  const half = Z95 * Math.sqrt((p * (1 - p)) / sampled + z2 / (4 * sampled));
  return [Math.max(0, (100 * (middle - half)) / (1 + z2)), Math.min(100, (100 * (middle + half)) / (1 + z2))];
}

/** The same of a share in percent. */
export const shareInterval = (share: number, sampled: number): [number, number] => interval((share * sampled) / 100, sampled);

/** How probable a value this far from 0, or further, is by chance (both sides; error below 1e-7). */
export function chance(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const terms = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277];
  const sum = terms.reduceRight((all, term) => term + t * all, 0);
  return t * Math.exp(-x * x + sum);
}

/** Two shares by the two-proportion test: the probability of such a difference if both are the same. */
export function sameByChance(a: Omit<Sample, "name">, b: Omit<Sample, "name">): number {
  const p = (a.matching + b.matching) / (a.sampled + b.sampled);
  const error = Math.sqrt(p * (1 - p) * (1 / a.sampled + 1 / b.sampled));
  return error === 0 ? 1 : chance((a.matching / a.sampled - b.matching / b.sampled) / error);
}

/** Smaller differences, in points, are of no importance, however sure; */
export const MARGIN = 3;
/** but for shares that are a multiple of each other, from this difference on. */
export const SMALL_MARGIN = 1;
export const MULTIPLE = 2;
/** Of all comparisons together: the probability of a false alarm. */
const ALPHA = 0.05;
/** Fewer connections are not compared. */
export const LEAST = 100;

export interface Apart {
  name: string;
  share: number;
  /** Of all that agree. */
  rest: number;
  sampled: number;
}

export interface Agreement {
  /** Those with enough connections. */
  compared: Sample[];
  /** Those with too few. */
  few: Sample[];
  /** Those that differ from the rest, the largest difference first. */
  apart: Apart[];
  /** Those that agree with each other; none if no larger part does. */
  agree: Sample[];
}

const percent = ({ matching, sampled }: Omit<Sample, "name">): number => (100 * matching) / sampled;

const pooled = (samples: readonly Sample[]): Omit<Sample, "name"> => ({
  matching: samples.reduce((sum, one) => sum + one.matching, 0),
  sampled: samples.reduce((sum, one) => sum + one.sampled, 0),
});

/** Whether two shares differ by a margin that matters, and more than chance explains, in one of so many comparisons. */
export function differ(a: Omit<Sample, "name">, b: Omit<Sample, "name">, comparisons: number): boolean {
  const [low, high] = [percent(a), percent(b)].sort((x, y) => x - y) as [number, number];
  const matters = high - low >= MARGIN || (high - low >= SMALL_MARGIN && high >= MULTIPLE * low);
  return matters && sameByChance(a, b) < ALPHA / Math.max(1, comparisons);
}

/**
 * Takes out those that differ from all others together, one after another, the one that differs most first: else one
 * that is far away would make the others differ from a rest that holds it. Ends when all that are left agree; if fewer
 * than half would be left, nobody is the rule.
 */
export function agreement(samples: readonly Sample[]): Agreement {
  const compared = samples.filter(({ sampled }) => sampled >= LEAST);
  const few = samples.filter(({ sampled }) => sampled < LEAST);
  let agree = compared;
  const apart: Apart[] = [];
  while (agree.length > 1) {
    const [most] = agree.map((one) => against(one, agree, compared.length)).sort((a, b) => b.by - a.by);
    if (!most || most.by === 0) break;
    agree = agree.filter((one) => one !== most.one);
    apart.push({ name: most.one.name, share: percent(most.one), rest: NaN, sampled: most.one.sampled });
  }
  if (agree.length < compared.length / 2 || (apart.length > 0 && agree.length < 2)) agree = [];
  const rest = percent(pooled(agree));
  return { compared, few, agree, apart: apart.map((one) => ({ ...one, rest })) };
}

/** By how many points a sample differs from all others together; 0 if it does not. */
function against(one: Sample, all: readonly Sample[], comparisons: number): { one: Sample; by: number } {
  const others = pooled(all.filter((other) => other !== one));
  return { one, by: differ(one, others, comparisons) ? Math.abs(percent(one) - percent(others)) : 0 };
}
