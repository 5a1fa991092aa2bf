// The list of days that stood out, each with a way to its numbers.

import { column, type Answer } from "../api/answers";
import * as radar from "../api/radar";
import type { Annotation } from "../api/wire";
import { type App, named, selected } from "../app";
import { sparkline } from "../charts/lines";
import { grid, onGrid } from "../charts/times";
import { ANOMALOUS } from "../state/stage";
import { parsePlace, type Place } from "../state/place";
import { lengthOf } from "../state/url";
import { stateLink } from "../ui/controls";
import { h } from "../ui/dom";
import { count, percent, range } from "../ui/format";
import { type Event, remarkableDays, type Series, TOGETHER } from "./events";

const DAY = 86_400_000;
const SHOWN = 5;
const LOOKED_AT = 200;

export async function stoodOut(app: App): Promise<HTMLElement | null> {
  const { place } = app.state;
  if (place.kind === "asn" || lengthOf(app.state.range) < 6 * DAY) return null;
  const by = place.kind === "location" ? "as" : "location";
  const asked = selected(app.state);
  const series = [asked, { ...asked, only: { stage: ANOMALOUS.join(",") } }];
  const [answer, known] = await Promise.all([
    radar.timeseries(by, series, [["aggInterval", "1d"], ["limitPerGroup", String(LOOKED_AT)]]),
    radar.annotations(asked).catch(() => []),
  ]);
  const days = wholeDays(answer);
  if (!days) return null;
  const events = remarkableDays(days.series, SHOWN);
  const items = await Promise.all(events.map((event) => item(app, by, event, days, known)));
  if (items.length === 0) return null;
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Days that stood out"),
    h("p", { class: "muted" }, `${by === "as" ? "Networks" : "Countries"} that differ from their own usual day in this time: in connections, or in the share that is cut short`),
    h("ul", { class: "events" }, ...items),
  );
}

interface Days {
  /** Beginnings of whole days. */
  times: number[];
  series: Series[];
}

/** Days that lie wholly within the range: cut ones have fewer connections for that reason alone. */
function wholeDays(answer: Answer): Days | null {
  const [all, cut] = answer.series;
  const [from, to] = answer.ranges[0] ?? [0, 0];
  if (!all || !cut) return null;
  const [allDays, cutDays] = [grid(all.times, [from, to], DAY), grid(cut.times, [from, to], DAY)];
  const whole = allDays.times.map((time, at) => ({ time, at })).filter(({ time }) => time % DAY === 0 && time + DAY <= to);
  const values = (list: readonly number[]): number[] => whole.map(({ at }) => list[at] || 0);
  const series = [...all.by].filter(([code]) => parse(code)).map(([code, own]): Series => ({
    code,
    all: values(onGrid(own.weight, allDays)),
    cut: values(onGrid(column(cut, code).weight, cutDays)),
  }));
  return { times: whole.map(({ time }) => time), series };
}

const parse = (code: string): Place | null => parsePlace(/^\d+$/.test(code) ? `AS${code}` : /^[A-Z]{2}$/.test(code) ? code : "-");

async function item(app: App, by: string, event: Event, days: Days, known: readonly Annotation[]): Promise<HTMLElement> {
  const place = parse(event.code) ?? app.state.place;
  const { name } = await named(place);
  const [from, to] = [days.times[event.first] ?? 0, (days.times[event.last] ?? 0) + DAY];
  const own = event.code === TOGETHER ? days.series : days.series.filter(({ code }) => code === event.code);
  const all = days.times.map((_, day) => own.reduce((sum, one) => sum + (one.all[day] ?? 0), 0));
  const around = { kind: "fixed" as const, from: from - 3 * DAY, to: Math.min(to + 3 * DAY, (days.times.at(-1) ?? to) + DAY) };
  const span: [number, number] = [days.times[0] ?? 0, (days.times.at(-1) ?? 0) + DAY];
  return h(
    "li",
    {},
    h("div", {}, stateLink(app.store, { place, range: around, counts: isCount(event) }, { key: `event:${by}:${event.code}:${event.first}` }, event.code === TOGETHER ? `${name} as a whole` : name), h("span", { class: "muted" }, ` ${range(from, to)}`)),
    h("p", {}, words(event), ...notes(known, event.code, from, to).map((note) => h("span", { class: "muted note" }, note))),
    sparkline({ label: "Connections a day", times: days.times, values: all, range: span, step: DAY, class: "stage-any", unit: "count", marked: [from, to] }),
  );
}

const isCount = (event: Event): boolean => event.count > 2 * event.usualCount || event.count < event.usualCount / 2;

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

/** From here on a state is not an exception but what was before. */
const LONG = 4;

/** Both numbers, whichever stood out: one explains the other. */
export function words(event: Event): string {
  if (event.first === 0 && event.last >= LONG) return `${state(event.count, event.share)} at first, about ${state(event.usualCount, event.usualShare)} later`;
  const days = event.first === event.last ? "" : "on the day that differed most, ";
  const counts = `${count(event.count)} connections instead of about ${count(event.usualCount)} a day`;
  const shares = Number.isFinite(event.share) ? `, ${percent(event.share)} cut short instead of ${percent(event.usualShare)}` : "";
  return `${days}${counts}${shares}`;
}

const state = (connections: number, share: number): string => `${count(connections)} connections a day${Number.isFinite(share) ? ` and ${percent(share)} cut short` : ""}`;
