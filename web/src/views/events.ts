// Days on which a place differed from its usual day: fewer or more connections, or another share cut short.

export interface Series {
  code: string;
  /** Connections of each day; NaN where it was not collected as a whole. */
  all: readonly number[];
  /** Those that were cut short. */
  cut: readonly number[];
  /** For how many connections a sampled one stands. */
  rate?: number;
}

export interface Event {
  code: string;
  /** First and last day, as positions. */
  first: number;
  last: number;
  /** On the day that differed most. */
  count: number;
  usualCount: number;
  share: number;
  usualShare: number;
  score: number;
}

/** With fewer sampled connections on its usual day a place is not looked at. */
const LEAST_USUAL = 50;
/** A share of fewer connections says little. */
const LEAST_DAY = 30;
const LEAST_DAYS = 5;
/** Half or twice the connections are remarkable; so are shares this many points apart. */
const FACTOR = 2;
const POINTS = 8;
/** And they must lie this many times the usual spread apart. */
const SPREADS = 6;

export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? (sorted[Math.floor(middle)] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

const share = (series: Series, day: number): number => (100 * (series.cut[day] ?? 0)) / (series.all[day] ?? 0);

interface Usual {
  count: number;
  share: number;
  spread: number;
}

function usualOf(series: Series): Usual {
  const shares = series.all.map((_, day) => share(series, day)).filter(Number.isFinite);
  const middle = median(shares);
  return { count: median(series.all.filter(Number.isFinite)), share: middle, spread: median(shares.map((one) => Math.abs(one - middle))) };
}

/** How remarkable a day is; 0 if it is as usual. */
function score(series: Series, day: number, usual: Usual): number {
  const count = series.all[day] ?? NaN;
  if (Number.isNaN(count)) return 0;
  const factor = Math.abs(Math.log2(Math.max(count, 0.5) / usual.count));
  const apart = count >= LEAST_DAY ? Math.abs(share(series, day) - usual.share) : 0;
  const counts = factor >= Math.log2(FACTOR) ? factor : 0;
  const shares = apart >= Math.max(POINTS, SPREADS * usual.spread) ? apart / POINTS : 0;
  return Math.max(counts, shares);
}

function eventsOf(series: Series): Event[] {
  const usual = usualOf(series);
  if (series.all.filter(Number.isFinite).length < LEAST_DAYS || usual.count / (series.rate ?? 1) < LEAST_USUAL) return [];
  const events: Event[] = [];
  series.all.forEach((count, day) => {
    const value = score(series, day, usual);
    if (value === 0) return;
    const known = events.at(-1);
    const here = { count, share: share(series, day), score: value };
    if (known && known.last === day - 1) Object.assign(known, { last: day }, value > known.score ? here : {});
    else events.push({ code: series.code, first: day, last: day, usualCount: usual.count, usualShare: usual.share, ...here });
  });
  return events;
}

/** What concerns all places together. */
export const TOGETHER = "";

function sum(all: readonly Series[]): Series {
  const days = all[0]?.all.map((_, day) => day) ?? [];
  const add = (of: (one: Series) => readonly number[]): number[] => days.map((day) => all.reduce((total, one) => total + (of(one)[day] ?? 0), 0));
  return { code: TOGETHER, all: add((one) => one.all), cut: add((one) => one.cut) };
}

/** So many places with the same days, and such a share of all, are no coincidence. */
const PLACES = 3;
const PART = 0.2;

/** One event instead of those of many places on the same days. */
function together(all: readonly Series[], same: readonly Event[]): Event {
  const [event] = same;
  const { first = 0, last = 0 } = event ?? {};
  const whole = sum(all);
  const usual = usualOf(whole);
  const score = Math.max(...same.map((one) => one.score));
  return { code: TOGETHER, first, last, count: whole.all[first] ?? 0, usualCount: usual.count, share: share(whole, first), usualShare: usual.share, score };
}

/** The most remarkable ones first. What happened everywhere is said once. */
export function remarkableDays(all: readonly Series[], most: number): Event[] {
  const byDays = new Map<string, Event[]>();
  for (const event of all.flatMap(eventsOf)) {
    const days = `${event.first}-${event.last}`;
    byDays.set(days, [...(byDays.get(days) ?? []), event]);
  }
  const isMany = (same: readonly Event[]): boolean => same.length >= Math.max(PLACES, PART * all.length);
  return [...byDays.values()]
    .flatMap((same) => (isMany(same) ? [together(all, same)] : same))
    .sort((a, b) => b.score - a.score)
    .slice(0, most);
}
