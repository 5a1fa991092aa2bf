// The list of days that stood out, each with a way to its numbers.

import { column, type Answer, total } from "../api/answers";
import { collectedDays } from "../api/collected";
import { narrowed } from "../api/question";
import * as radar from "../api/radar";
import type { Annotation } from "../api/wire";
import { type App, named, selected } from "../app";
import { sparkline } from "../charts/lines";
import { grid, onGrid } from "../charts/times";
import { ANOMALOUS } from "../state/stage";
import { parsePlace, type Place } from "../state/place";
import { lengthOf, type Range } from "../state/url";
import { stateLink } from "../ui/controls";
import { h } from "../ui/dom";
import { count, dayMonth, percent, range } from "../ui/format";
import { type Event, remarkableDays, type Series, TOGETHER } from "./events";

const DAY = 86_400_000;
const SHOWN = 5;
const LOOKED_AT = 200;

export async function stoodOut(app: App): Promise<HTMLElement | null> {
  const { place } = app.state;
  if (place.kind === "asn" || lengthOf(app.state.range) < 6 * DAY) return null;
  const by = place.kind === "location" ? "as" : "location";
  const asked = selected(app.state);
  const series = [asked, narrowed(asked, { stage: ANOMALOUS.join(",") })];
  const [answer, known] = await Promise.all([
    radar.timeseries(by, series, [["aggInterval", "1d"], ["limitPerGroup", String(LOOKED_AT)]]),
    radar.annotations(asked).catch(() => []),
  ]);
  const days = await wholeDays(app.state.range, answer);
  if (!days) return null;
  const events = remarkableDays(days.series, SHOWN);
  const items = await Promise.all(events.map((event) => item(app, by, event, days, known)));
  if (items.length === 0) return null;
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Days that stood out"),
    h("p", { class: "muted" }, `Estimated from the sample. ${by === "as" ? "Networks" : "Countries"} whose connections, or share cut short, differed from a typical day in this period. Days that were not collected as a whole are left out.`),
    h("ul", { class: "events" }, ...items),
  );
}

interface Days {
  /** Beginnings of the days, from the first to the last that was collected as a whole. */
  times: number[];
  series: Series[];
}

/** Days of which all was collected: others have fewer connections for that reason alone, and no values here. */
async function wholeDays(range: Range, answer: Answer): Promise<Days | null> {
  const [all, cut] = answer.series;
  const [from, to] = answer.ranges[0] ?? [0, 0];
  if (!all || !cut) return null;
  const [allDays, cutDays] = [grid(all.times, [from, to], DAY), grid(cut.times, [from, to], DAY)];
  const inRange = await collectedDays(range, allDays.times);
  const isWhole = allDays.times.map((time, at) => time % DAY === 0 && time + DAY <= to && inRange[at] === true);
  const [first, last] = [isWhole.indexOf(true), isWhole.lastIndexOf(true)];
  if (first < 0) return null;
  const values = (list: readonly number[]): number[] => list.map((n, at) => (isWhole[at] ? n || 0 : NaN)).slice(first, last + 1);
  const series = [...all.by].filter(([code]) => parse(code)).map(([code, own]): Series => ({
    code,
    all: values(onGrid(own.weight, allDays)),
    cut: values(onGrid(column(cut, code).weight, cutDays)),
    rate: total(own.weight) / total(own.sampled),
  }));
  return { times: allDays.times.slice(first, last + 1), series };
}

const parse = (code: string): Place | null => parsePlace(/^\d+$/.test(code) ? `AS${code}` : /^[A-Z]{2}$/.test(code) ? code : "-");

async function item(app: App, by: string, event: Event, days: Days, known: readonly Annotation[]): Promise<HTMLElement> {
  const place = parse(event.code) ?? app.state.place;
  const { name } = await named(place);
  const end = (days.times.at(-1) ?? 0) + DAY;
  const change = changeOf(event, days.times);
  const [from, to] = change === null ? [days.times[event.first] ?? 0, (days.times[event.last] ?? 0) + DAY] : [change, end];
  const own = event.code === TOGETHER ? days.series : days.series.filter(({ code }) => code === event.code);
  const all = days.times.map((_, day) => own.reduce((sum, one) => sum + (one.all[day] ?? 0), 0));
  const span: [number, number] = [days.times[0] ?? 0, end];
  const around = { kind: "fixed" as const, from: Math.max(from - 3 * DAY, span[0]), to: Math.min(to + 3 * DAY, end) };
  return h(
    "li",
    {},
    h("div", {}, stateLink(app.store, { place, range: around, counts: isCount(event) }, { key: `event:${by}:${event.code}:${event.first}` }, event.code === TOGETHER ? `${name} as a whole` : name), change === null ? h("span", { class: "muted" }, ` ${range(from, to)}`) : null),
    h("p", {}, words(event, days.times), ...notes(known, event.code, from, to).map((note) => h("span", { class: "muted note" }, note))),
    sparkline({ label: "Connections a day", times: days.times, values: all, range: span, step: DAY, class: "stage-any", unit: "count", marked: [from, to] }),
  );
}

export const isCount = (event: Event): boolean => event.count > 2 * event.usualCount || event.count < event.usualCount / 2;

/** Notes on a place that are about these days, not about a much longer time. */
export function notes(known: readonly Annotation[], code: string, from: number, to: number): string[] {
  const concerns = ({ locations, asns }: Annotation): boolean => {
    const places = [...locations, ...asns.map(String)];
    return code === TOGETHER ? places.length === 0 : places.includes(code);
  };
  const near = ({ startDate, endDate }: Annotation): boolean => {
    const [begin, end] = [Date.parse(startDate), Date.parse(endDate ?? startDate)];
    return begin < to && (end > from || begin >= from) && end - begin <= 2 * (to - from) + DAY;
  };
  return known.filter((one) => concerns(one) && near(one)).map(({ description }) => `Noted: ${description}`);
}

/** So many days from the first or up to the last are not an exception, but a change. */
const LONG = 5;

/** When the state began that still holds; none if the event is an exception between usual days. */
export function changeOf({ first, last }: Event, times: readonly number[]): number | null {
  if (last - first + 1 < LONG) return null;
  if (first === 0) return times[last + 1] ?? null;
  return last === times.length - 1 ? (times[first] ?? null) : null;
}

/** Both numbers, whichever stood out: one explains the other. */
export function words(event: Event, times: readonly number[]): string {
  const change = changeOf(event, times);
  const [then, usual] = [state(event.count, event.share), state(event.usualCount, event.usualShare)];
  if (change !== null) return `Since ${dayMonth(change)}: about ${event.first === 0 ? usual : then}. Before: ${event.first === 0 ? then : usual}.`;
  const peak = event.first === event.last ? "" : "Peak day: ";
  return `${peak}${then}. Typical: ${usual}.`;
}

const state = (connections: number, share: number): string => `${count(connections)} connections a day${Number.isFinite(share) ? `, ${percent(share)} cut short` : ""}`;
