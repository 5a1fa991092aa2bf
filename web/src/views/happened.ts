// Events in words, on charts, and as lines of lists. The server's sentences say what was seen, never who did it, or why.

import * as radar from "../api/radar";
import type { Parameters } from "../api/client";
import type { FoundEvent } from "../api/wire";
import { type App, selected } from "../app";
import type { Mark } from "../charts/marks";
import { parsePlace, type Place } from "../state/place";
import type { Range, State, Which } from "../state/url";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { many, moment, range } from "../ui/format";
import { zoneName } from "../ui/zone";

const DAY = 86_400_000;
/** So many are marked on a chart; more would hide it. */
const MARKED = 12;

export const CHANNELS = { traffic: "Connections", post_syn: "Post-SYN", post_ack: "Post-ACK", post_psh: "Post-PSH", later: "Later", flood: "Flood", scan: "Scan", reflection: "Reflection", observer: "Not collected" } as const;
export type Channel = keyof typeof CHANNELS;
export const isChannel = (text: string): text is Channel => text in CHANNELS;

/** The filters of the list of events as parameters of the API, without time and place. */
export function filtersOf({ channel, which }: Pick<State, "channel" | "which">): Parameters {
  const states: Record<Which, Parameters> = { alarms: [["alarm", "true"], ["state", "-retracted"]], open: [["state", "open"]], all: [] };
  return [...states[which], ...(isChannel(channel) ? [["channel", channel] as const] : [])];
}

/** The place of an event on this page; none of a server. */
export function placeOf({ place }: Pick<FoundEvent, "place">): Place | null {
  const [kind, key = ""] = place.split(":");
  if (kind === "as") return parsePlace(`AS${key}`);
  return kind === "country" ? parsePlace(key) : kind === "world" ? { kind: "world" } : null;
}

/** How the server calls a place; none if it watches none like it. */
export function watchedName(place: Place): string | null {
  if (place.kind === "location") return `country:${place.code}`;
  if (place.kind === "asn") return `as:${place.number}`;
  return place.kind === "world" ? "world" : null;
}

/** From when to when; the end of what continues is the present. */
export function timeOf({ onset, end, closed, state }: Pick<FoundEvent, "onset" | "end" | "closed" | "state">, now: number): [number, number] {
  const last = end ?? (state === "open" ? null : closed);
  return [Date.parse(onset), last ? Date.parse(last) : now];
}

/** `Since Sun 9 Nov 2026, 13:15 UTC`, or from when to when. */
export function when(event: FoundEvent): string {
  const [from, to] = timeOf(event, Date.now());
  if (event.end || event.state === "usual") return `${range(from, to)} ${zoneName()}`;
  return `Since ${moment(from)} ${zoneName()}`;
}

/** Some days around an event. */
export function around(event: FoundEvent, now: number): Range {
  const [from, to] = timeOf(event, now);
  const margin = Math.max(DAY, Math.min(3 * DAY, 2 * (to - from)));
  return { kind: "fixed", from: from - margin, to: Math.min(to + margin, now) };
}

/** Whether it is about a share, or about how many connections there were. */
export const isCount = ({ channel }: FoundEvent): boolean => channel === "traffic" || channel === "observer";

/** What the operator decided: `dismissed by the operator: a test`. */
export const decided = ({ review }: Pick<FoundEvent, "review">): string | null =>
  review ? `${review.decision} by the operator${review.note ? `: ${review.note}` : ""}` : null;

export const isDismissed = ({ review }: Pick<FoundEvent, "review">): boolean => review?.decision === "dismissed";

/** An event as a line: when, what, where to see it, and what else is known. */
export function line(app: App, event: FoundEvent, ...more: Child[]): HTMLElement {
  const place = placeOf(event);
  const change: Partial<State> = { view: event.server ? "networks" : "overview", ...(place ? { place } : {}), range: around(event, Date.now()), unit: isCount(event) ? "count" : "", page: 0 };
  const parts = event.parts.length ? `also in ${many(event.parts.length, event.place === "world" ? "country or network" : "network", event.place === "world" ? "countries and networks" : "networks")}` : null;
  const seen = sources(event);
  const known = [event.severity, event.state === "closed" ? null : event.state === "usual" ? "then counted as usual" : event.state, parts, event.partOf ? "explained by another event" : null, decided(event)].filter((text) => text !== null);
  return h(
    "li",
    { class: event.state === "retracted" || isDismissed(event) ? "event retracted" : "event", "data-event": event.id },
    h("div", { class: "muted" }, when(event)),
    h("p", {}, stateLink(app.store, change, { key: `event:${event.id}` }, event.summary)),
    h("span", { class: `muted severity ${event.severity}` }, known.join(", ")),
    seen ? h("p", { class: "muted sources" }, seen) : null,
    ...more,
  );
}

const SOURCES: Record<string, string> = { ioda: "IODA", ooni: "OONI", radar: "Cloudflare Radar", censored_planet: "Censored Planet", cenalert: "CenAlert" };
const VERDICTS: Record<string, string> = { agrees: "agrees", silent: "is silent", disagrees: "disagrees", no_data: "has no data" };

/** What other sources that were imported say of an event: `OONI agrees, IODA has no data`. */
export const sources = ({ corroboration }: Pick<FoundEvent, "corroboration">): string =>
  corroboration.map(({ source, verdict }) => `${SOURCES[source] ?? source} ${VERDICTS[verdict] ?? verdict}`).join(", ");

/** The events of a time and place that raised an alarm, and no longer count if they were retracted or dismissed. */
export const alarmsOf = (app: App): Promise<FoundEvent[]> =>
  radar.events(selected(app.state), [["alarm", "true"], ["state", "-retracted"], ["review", "-dismissed"]]);

const size = ({ severity }: FoundEvent): number => ["minor", "major", "severe"].indexOf(severity);

/** The events of just this place, and those of our own, as spans on its charts: the largest ones. */
export function marksOfEvents(events: readonly FoundEvent[], place: Place, [from, to]: readonly [number, number], now: number): Mark[] {
  const name = watchedName(place);
  const concerns = (event: FoundEvent): boolean => (event.place === name || event.channel === "observer") && event.state !== "retracted" && !isDismissed(event);
  return events
    .filter(concerns)
    .map((event) => ({ event, time: timeOf(event, now) }))
    .filter(({ time }) => time[0] < to && time[1] > from)
    .sort((a, b) => size(b.event) - size(a.event) || b.time[0] - a.time[0])
    .slice(0, MARKED)
    .sort((a, b) => a.time[0] - b.time[0])
    .map(({ event, time }) => ({ from: time[0], to: time[1], instant: false, kind: "EVENT", text: event.state === "usual" ? `${event.summary}; after that counted as usual` : event.summary, link: "" }));
}

const SHOWN = 5;

/** Those that charts mark. */
export const SHOWN_EVENTS: Parameters = [["state", "-retracted"], ["review", "-dismissed"]];

/** The largest events of the selection, where an overview says what happened. */
export async function happened(app: App): Promise<HTMLElement | null> {
  const events = (await alarmsOf(app)).sort((a, b) => size(b) - size(a) || Date.parse(b.onset) - Date.parse(a.onset));
  if (events.length === 0) return null;
  const all: Child[] = events.length > SHOWN ? [`${events.length - SHOWN} more: `] : [];
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Events"),
    h("p", { class: "muted" }, "Fewer connections than usual, or a larger share of them cut short. What is usual is learnt from the weeks before."),
    h("ul", { class: "events" }, ...events.slice(0, SHOWN).map((event) => line(app, event))),
    h("p", {}, ...all, stateLink(app.store, { view: "events", page: 0 }, { key: "all-events" }, "All events")),
  );
}
