// Numbers and times as people read them, in the zone that is chosen.

import { inZone } from "./zone";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/** A thin space that does not break: between a number and its unit. */
const THIN = "\u202f";

/** `23.4 %`; small shares keep a digit that says something. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return "–";
  const digits = share !== 0 && Math.abs(share) < 0.095 ? 2 : 1;
  if (share > 0 && share < 0.005) return `<0.01${THIN}%`;
  return `${share.toFixed(digits)}${THIN}%`;
}

/** A tick of a percent axis. */
export const percentTick = (share: number): string => `${Number(share.toFixed(2))}${THIN}%`;

/** A difference of shares: `+1.2 points`. */
export function points(difference: number): string {
  const rounded = Number(difference.toFixed(1));
  if (rounded === 0) return "no change";
  const sign = rounded > 0 ? "+" : "−";
  return `${sign}${Math.abs(rounded).toFixed(1)} points`;
}

/** `1,912,332`. */
export const count = (n: number): string => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");

/** `1 network`, `12 networks`. */
export const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`;

/** `1.9 M`: for axes and small places. */
export function compact(n: number): string {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (Math.abs(n) >= size) {
      const short = n / size;
      return `${short >= 100 || Number.isInteger(short) ? short.toFixed(0) : short.toFixed(1).replace(/\.0$/, "")}${THIN}${unit}`;
    }
  }
  return Number.isInteger(n) ? String(n) : n.toFixed(1);
}

/** How many connections a sampled one stands for: `1 in 100`. */
export const sampling = (rate: number): string => (Math.abs(rate - Math.round(rate)) < 0.005 * rate ? `1 in ${count(rate)}` : `about 1 in ${rate < 10 ? rate.toFixed(1) : count(rate)}`);

/** `139 MB`. */
export function bytes(n: number): string {
  for (const [unit, size] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const) {
    if (n >= size) return `${n / size >= 100 ? (n / size).toFixed(0) : (n / size).toFixed(1)}${THIN}${unit}`;
  }
  return `${n}${THIN}B`;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** `21 Nov`. */
export const dayMonth = (time: number): string => {
  const date = new Date(inZone(time));
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
};

const yearOf = (time: number): number => new Date(inZone(time)).getUTCFullYear();

/** `21 Nov 2026`. */
export const day = (time: number): string => `${dayMonth(time)} ${yearOf(time)}`;

/** `14:15`. */
export const clock = (time: number): string => {
  const date = new Date(inZone(time));
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
};

/** `14:15:07`. */
export const clockSeconds = (time: number): string => `${clock(time)}:${two(new Date(time).getUTCSeconds())}`;

/** `Sat 21 Nov 2026, 14:15`. */
export const moment = (time: number): string => `${DAYS[new Date(inZone(time)).getUTCDay()]} ${day(time)}, ${clock(time)}`;

const isMidnight = (time: number): boolean => inZone(time) % 86_400_000 === 0;

/** `14 to 21 Nov 2026`, with clock times where the range does not begin and end at midnight. */
export function range(from: number, to: number): string {
  if (!isMidnight(from) || !isMidnight(to)) {
    const sameYear = yearOf(from) === yearOf(to);
    const start = sameYear ? dayMonth(from) : day(from);
    if (dayMonth(from) === dayMonth(to) && sameYear) return `${day(from)}, ${clock(from)} to ${clock(to)}`;
    return `${start}, ${clock(from)} to ${day(to)}, ${clock(to)}`;
  }
  const last = to - 86_400_000;
  if (last === from) return day(from);
  const [a, b] = [new Date(inZone(from)), new Date(inZone(last))];
  if (a.getUTCFullYear() !== b.getUTCFullYear()) return `${day(from)} to ${day(last)}`;
  if (a.getUTCMonth() !== b.getUTCMonth()) return `${dayMonth(from)} to ${day(last)}`;
  return `${a.getUTCDate()} to ${day(last)}`;
}

/** The same in one short line, to the minute: `21 Nov 14:15 – 28 Nov 14:15`, with the year where it is not that of `now`. */
export function shortRange(from: number, to: number, now: number): string {
  const date = yearOf(from) === yearOf(now) && yearOf(to) === yearOf(now) ? dayMonth : day;
  const end = date(from) === date(to) ? clock(to) : `${date(to)} ${clock(to)}`;
  return `${date(from)} ${clock(from)} – ${end}`;
}

/** `4 s`, `3 min`, `2 h`, `5 days`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds}${THIN}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}${THIN}min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)}${THIN}h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A length of time in whole minutes: `4 weeks`, `7 days`, `24 h`, `2 h 15 min`. */
export function span(milliseconds: number): string {
  const days = milliseconds / 86_400_000;
  if (days >= 3 * 365) return `${Math.round(days / 365.2425)} years`;
  // Over so many days nobody counts hours.
  if (days >= 14 && days % 7 !== 0) return `${count(Math.round(days))} days`;
  const minutes = Math.round(milliseconds / 60_000);
  const hours = minutes / 60;
  if (hours >= 336 && hours % 168 === 0) return `${hours / 168} weeks`;
  if (hours >= 48 && hours % 24 === 0) return `${hours / 24} days`;
  const parts = [...(hours >= 1 ? [`${Math.floor(hours)}${THIN}h`] : []), ...(minutes % 60 ? [`${minutes % 60}${THIN}min`] : [])];
  return parts.join(" ") || `0${THIN}min`;
}

/** The dates of a time, short, for within a sentence: `20–21 Nov`, `18 Nov, 13:00–13:15`. With the year where it is not that of `beside`. */
export function dates(from: number, to: number, beside: number): string {
  const last = to - 1;
  const date = yearOf(from) === yearOf(beside) && yearOf(last) === yearOf(beside) ? dayMonth : day;
  if (to - from < 86_400_000) {
    const end = date(to) === date(from) ? clock(to) : `${date(to)}, ${clock(to)}`;
    return `${date(from)}, ${clock(from)}–${end}`;
  }
  if (date(from) === date(last)) return date(from);
  const sameMonth = date === dayMonth && new Date(inZone(from)).getUTCMonth() === new Date(inZone(last)).getUTCMonth();
  return sameMonth ? `${new Date(inZone(from)).getUTCDate()}–${date(last)}` : `${date(from)}–${date(last)}`;
}
