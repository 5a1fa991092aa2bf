// A country or network for analysts: what is usual, what changed and since when, which networks, and who else measures there.

import { type Groups, shareAt, total } from "../api/answers";
import { collectedDays } from "../api/collected";
import * as radar from "../api/radar";
import type { Ranked } from "../api/radar";
import type { Followers, FoundEvent, WatchedPlace } from "../api/wire";
import { type App, countryOf, judged, named, selected } from "../app";
import { grid, onGrid } from "../charts/times";
import { agreement } from "../stats/proportions";
import type { Place } from "../state/place";
import type { Range, State } from "../state/url";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { count, dates, many, percent, points } from "../ui/format";
import { around, isCount, sources, watchedName, when } from "./happened";

const DAY = 86_400_000;
/** What is usual is seen in so many days up to the end of the period. */
const USUAL_DAYS = 28;
/** Days with fewer connections say nothing. */
const LEAST_DAY = 30;
const LEAST_DAYS = 7;
const MOST_NETWORKS = 200;
/** So many networks are named. */
const MOST_NAMED = 4;

interface Days {
  times: number[];
  shares: number[];
  counts: number[];
  cut: number[];
  sampled: number[];
  rate: number;
}

export async function inWords(app: App): Promise<HTMLElement | null> {
  const { place, range } = app.state;
  if (place.kind !== "location" && place.kind !== "asn") return null;
  const now = Math.floor(Date.now() / 900_000) * 900_000;
  const [from, to] = range.kind === "fixed" ? [range.from, range.to] : [now - (await lengthOfLast(app)), now];
  const [{ name }, all, networks, links, events] = await Promise.all([named(place), usualDays(app, to), networksOf(app), elsewhere(place, from, to), eventsUpTo(app, to)]);
  const days = since(all, Math.max(...events.filter((one) => one.place === watchedName(place) && one.state === "usual" && !isCount(one)).map((one) => Date.parse(one.onset)), 0));
  const said = [days ? usual(days, from, to) : "There are too few days with data to say what is usual here.", await changed(app, events)];
  return h(
    "section",
    { class: "panel in-words", "aria-labelledby": "in-words-title" },
    h("h2", { id: "in-words-title" }, `${name} in words`),
    h("ul", {}, ...[...said, networks].filter(Boolean).map((one) => h("li", {}, one as Child))),
    links,
  );
}

async function lengthOfLast(app: App): Promise<number> {
  const { ranges } = await radar.summary("stage", [selected(app.state)]);
  const [from, to] = ranges[0] ?? [0, 0];
  return to - from;
}

/** The events of the days in which it is seen what is usual. */
const eventsUpTo = (app: App, to: number): Promise<FoundEvent[]> =>
  radar.events({ ...selected(app.state), range: { kind: "fixed", from: to - USUAL_DAYS * DAY, to } }, [["state", "-retracted"]]).catch(() => []);

/** The whole days up to an end; none if there are too few. */
async function usualDays(app: App, end: number): Promise<Days | null> {
  const to = Math.floor(end / DAY) * DAY;
  const range: Range = { kind: "fixed", from: to - USUAL_DAYS * DAY, to };
  const answer = await radar.timeseries("stage", [{ ...selected(app.state), range }], [["aggInterval", "1d"]]);
  const [groups] = answer.series;
  if (!groups) return null;
  const all = grid(groups.times, answer.ranges[0] ?? [0, 0], DAY);
  const whole = await collectedDays(range, all.times);
  const only = (values: readonly number[]): number[] => onGrid(values, all).map((n, at) => (whole[at] ? n || 0 : NaN));
  const [counts, sampled] = [only(groups.weight), only(groups.sampled)];
  const shares = onGrid(groups.times.map((_, at) => shareAt(groups, "any", at)), all);
  const [first, last] = [whole.indexOf(true), whole.lastIndexOf(true)];
  if (first < 0 || sampled.filter((n) => n >= LEAST_DAY).length < LEAST_DAYS) return null;
  const cut = counts.map((n, at) => (n ? (n * (shares[at] || 0)) / 100 : n));
  const part = <T>(list: readonly T[]): T[] => list.slice(first, last + 1);
  return { times: part(all.times), shares: part(shares), counts: part(counts), cut: part(cut), sampled: part(sampled), rate: rateOf(groups) };
}

/** What is usual since something has changed for good. */
function since(days: Days | null, onset: number): Days | null {
  const first = days?.times.findIndex((time) => time >= onset) ?? -1;
  if (!days || first <= 0) return days;
  const part = <T>(list: readonly T[]): T[] => list.slice(first);
  const { times, shares, counts, cut, sampled, rate } = days;
  const left = { times: part(times), shares: part(shares), counts: part(counts), cut: part(cut), sampled: part(sampled), rate };
  return left.sampled.filter((n) => n >= LEAST_DAY).length < LEAST_DAYS ? days : left;
}

const rateOf = (groups: Groups): number => total(groups.weight) / total(groups.sampled);

/** Ends of the middle 80 % of a list. */
function middle(list: readonly number[]): [number, number] {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))] ?? NaN;
  return [at(0.1), at(0.9)];
}

function usual({ times, shares, sampled, counts }: Days, from: number, to: number): string {
  const known = shares.filter((_, at) => (sampled[at] ?? 0) >= LEAST_DAY);
  const [low, high] = middle(known);
  const [few, most] = middle(counts.filter(Number.isFinite));
  const between = `${percent(low)} to ${percent(high)} of connections a day are cut short, of about ${count(few)} to ${count(most)} connections`;
  const of = `80 % of ${many(known.length, "whole day")}, ${dates(times[0] ?? from, (times.at(-1) ?? to) + DAY, to)}`;
  return `Usual: ${between} (in ${of}; ${count(total(sampled.filter(Number.isFinite)))} sampled).`;
}

/** So many events are told. */
const MOST_EVENTS = 3;

/** What began in these days, and perhaps ended; what continues first. */
async function changed(app: App, events: readonly FoundEvent[]): Promise<Child> {
  const name = watchedName(app.state.place);
  const own = events.filter(({ place }) => place === name).sort((a, b) => Number(b.state === "open") - Number(a.state === "open"));
  if (own.length === 0) return unchanged(name ? await radar.watched(app.state.place, name).catch(() => null) : null);
  const shown = own.slice(0, MOST_EVENTS);
  const followed = await Promise.all(shown.map(async (event) => (event.state === "open" && app.state.place.kind === "location" ? radar.followers(event.id).catch(() => null) : null)));
  const told = shown.flatMap((event, at) => {
    const change: Partial<State> = { range: around(event, Date.now()), unit: isCount(event) ? "count" : "", page: 0 };
    const parts = extent(followed[at] ?? null) ?? (event.parts.length ? `, in ${many(event.parts.length, "network")}` : "");
    return [at ? "; " : "", stateLink(app.store, change, { key: `words:${event.id}` }, when(event)), `: ${event.summary.replace(/^[^:]*: /, "")}${parts}${sources(event) ? ` (${sources(event)})` : ""}`];
  });
  const more = own.length > MOST_EVENTS ? ["; ", stateLink(app.store, { view: "events", which: "all", page: 0 }, { key: "words:events" }, `${own.length - MOST_EVENTS} more`)] : [];
  return h("span", {}, "Changed: ", ...told, ...more, ".");
}

/** That there are no events means something only where they would have been noticed. */
export function unchanged(place: WatchedPlace | null): string {
  const statuses = (place?.series ?? []).map(({ status }) => status);
  if (statuses.includes("watched")) return "Changed: no events. Nothing differed from the same hours of the weeks before by more than chance.";
  if (statuses.includes("learning")) return "Changed: not known yet. What is usual here is being learnt, which takes a week of data.";
  if (statuses.includes("too_few")) return "Changed: not known. There are too few connections from here to notice an event.";
  return "Changed: not known. This place is not watched for events.";
}

/** In how many networks an event of a country is seen, and in which it is not, although it would be by now. */
export function extent(found: Followers | null): string | null {
  if (!found || found.following.length + found.exempt.length === 0) return null;
  const { following, exempt } = found;
  const named = exempt.slice(0, MOST_NAMED).map(({ asn, name }) => name || `AS${asn}`);
  const not = exempt.length === 0 ? "" : `; not in ${named.join(", ")}${exempt.length > MOST_NAMED ? ` and ${exempt.length - MOST_NAMED} more` : ""}`;
  return `, in ${following.length} of ${many(following.length + exempt.length, "network")}${not}`;
}

/** Which of its networks differ from the others. */
async function networksOf(app: App): Promise<Child> {
  const { place, metric } = app.state;
  if (place.kind !== "location") return null;
  const { rows } = await radar.top("ases", judged({ ...app.state, metric: "any" }), "any", MOST_NETWORKS, 100);
  const { compared, apart, agree } = agreement(rows.map(({ code, matching, sampled }) => ({ name: code, matching, sampled })));
  if (compared.length < 2) return null;
  if (agree.length === 0) return split(app, rows.filter(({ code }) => compared.some(({ name }) => name === code)));
  const byCode = new Map(rows.map((row) => [row.code, row]));
  const shares = agree.map(({ matching, sampled }) => (100 * matching) / sampled);
  const rest = `${apart.length ? "The other " : ""}${many(agree.length, "network")} agree: ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} of completed handshakes are cut short.`;
  const links = apart.slice(0, MOST_NAMED).flatMap(({ name, share, rest }, at) => [
    at ? "; " : "",
    asLink(app, byCode.get(name) as Ranked),
    ` ${percent(share)}, ${points(share - rest)}`,
  ]);
  const more = apart.length > MOST_NAMED ? ["; ", stateLink(app.store, { view: "networks", metric }, { key: "words:networks" }, `${apart.length - MOST_NAMED} more`)] : [];
  return h("span", {}, "Networks: ", ...(apart.length ? [`${apart.length} of ${many(compared.length, "network")} differ${apart.length === 1 ? "s" : ""}: `, ...links, ...more, ". "] : []), rest);
}

const asLink = ({ store }: App, row: Ranked): HTMLElement => stateLink(store, { place: { kind: "asn", number: Number(row.code) } }, { key: `words:as:${row.code}` }, row.name || `AS${row.code}`);

/** Networks of which no larger part agrees. */
function split(app: App, rows: readonly Ranked[]): HTMLElement {
  const shown = [...rows].sort((a, b) => b.share - a.share).slice(0, MOST_NAMED);
  const more = rows.length - shown.length;
  return h("span", {}, "Networks: they differ from each other: ", ...shown.flatMap((row, at) => [at ? "; " : "", asLink(app, row), ` ${percent(row.share)}`]), more ? `; ${count(more)} more` : "", " of completed handshakes are cut short.");
}

const date = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Where others measure the same place and time. */
export function otherSources(place: Place, country: string, from: number, to: number): [string, string][] {
  const [start, end] = [date(from), date(to + DAY - 1)];
  const [since, until] = [Math.floor(from / 1000), Math.floor(to / 1000)];
  const asn = place.kind === "asn" ? place.number : null;
  const ooni = new URLSearchParams({ probe_cc: country, ...(asn ? { probe_asn: `AS${asn}` } : {}), since: start, until: end, time_grain: "day", axis_x: "measurement_start_day", test_name: "web_connectivity" });
  return [
    ["OONI", `https://explorer.ooni.org/chart/mat?${ooni.toString()}`],
    ["IODA", `https://ioda.inetintel.cc.gatech.edu/${asn ? `asn/${asn}` : `country/${country}`}?from=${since}&until=${until}`],
    ["Cloudflare Radar", `https://radar.cloudflare.com/${asn ? `as${asn}` : country.toLowerCase()}?dateStart=${start}&dateEnd=${end}`],
    ["Censored Planet", "https://dashboard.censoredplanet.org/"],
  ];
}

async function elsewhere(place: Place, from: number, to: number): Promise<HTMLElement | null> {
  const country = await countryOf(place);
  if (!country) return null;
  const links = otherSources(place, country.code, from, to).flatMap(([name, href], at) => [at ? ", " : "", h("a", { href, rel: "noreferrer" }, name)]);
  return h("p", { class: "muted" }, `Other sources for ${dates(from, to, Date.now())}: `, ...links, ".");
}
