// What every view gets: the state, names of places, the terms' texts.

import * as radar from "./api/radar";
import type { Meta, StageTerm, Status, Terms } from "./api/wire";
import type { Asked } from "./api/question";
import { CONTINENTS, type Place, placeKey } from "./state/place";
import type { Store } from "./state/store";
import { percent } from "./ui/format";
import { useZone, zoneId } from "./ui/zone";
import { isAnomalous, title } from "./state/stage";
import { COMMON_FILTERS, type DataSet, type Filter, type State } from "./state/url";

export interface Named {
  name: string;
  /** What it is: `Country PT`. */
  kind: string;
  /** Places around it, the widest first. */
  above: readonly Place[];
}

const names = new Map<string, Named>([["world", { name: "World", kind: "All connections", above: [] }]]);
for (const [code, name] of Object.entries(CONTINENTS)) {
  names.set(`continent-${code}`, { name, kind: "Continent", above: [{ kind: "world" }] });
}

/** Remembers a name that an answer carried, so that nobody asks for it again. */
export function learn(place: Place, named: Named): void {
  names.set(placeKey(place), named);
}

/** The name of a place; asked for if nobody knows it yet. */
export async function named(place: Place): Promise<Named> {
  const known = names.get(placeKey(place));
  if (known) return known;
  const found = await lookUp(place).catch(() => unknown(place));
  names.set(placeKey(place), found);
  return found;
}

/** The name if it is known, else the code. */
export const shortName = (place: Place): string => names.get(placeKey(place))?.name ?? placeKey(place);

const unknown = (place: Place): Named => ({ name: placeKey(place), kind: "Unknown to this server", above: [{ kind: "world" }] });

async function lookUp(place: Place): Promise<Named> {
  if (place.kind === "location") {
    const { name, continent } = await radar.location(place.code);
    const above: Place[] = continent in CONTINENTS ? [{ kind: "world" }, { kind: "continent", code: continent }] : [{ kind: "world" }];
    return { name, kind: `Country ${place.code}`, above };
  }
  if (place.kind === "asn") {
    const { name, country } = await radar.network(place.number);
    const above: Place[] = country ? [{ kind: "world" }, { kind: "location", code: country }] : [{ kind: "world" }];
    if (country) await named({ kind: "location", code: country });
    return { name: name || `AS${place.number}`, kind: `Network AS${place.number}`, above };
  }
  return unknown(place);
}

/** Of each data set. */
const texts = new Map<DataSet, Promise<Terms>>();

/** What stages, tags and signatures of the data set mean, in the words of `cutshort explain`. */
export function terms(): Promise<Terms> {
  const dataSet = radar.dataSet();
  const found = texts.get(dataSet) ?? radar.terms();
  texts.set(dataSet, found);
  found.then(
    (all) => {
      const titles = (terms: readonly { name: string; title: string }[]): Map<string, string> => new Map(terms.map(({ name, title }) => [name, title]));
      titlesOf = { signature: new Map(all.signatures.map(({ id, name }) => [String(id), name])), tag: titles(all.tags), termination: titles(all.terminations) };
    },
    () => texts.delete(dataSet),
  );
  return found;
}

/** Where places and networks are known from: all sources, as their licences want them to be named. */
export async function geoSources(): Promise<string> {
  const status = await radar.status().catch(() => null);
  if (!status) return "not known";
  return status.geo.map(sourceText).join("; ") || "none";
}

/** One of them as its licence wants it, in one line: `DB-IP country lite, 2026-05-01 (CC BY 4.0, https://db-ip.com)`. */
export function sourceText({ name, date, licence, urls }: Status["geo"][number]): string {
  const notes = [licence, ...urls].filter(Boolean);
  return `${name}, ${date}${notes.length ? ` (${notes.join(", ")})` : ""}`;
}

export async function stageTerm(name: string): Promise<StageTerm | undefined> {
  return (await terms()).stages.find((stage) => stage.name === name);
}

/** Says times in the zone that is chosen; of a place it is that of its country. */
export async function setZone({ zone, place }: State): Promise<void> {
  useZone(zoneId(zone, zone === "place" ? await countryOf(place) : null));
}

/** The country of a place or network, with its longitude. */
export async function countryOf(place: Place): Promise<{ code: string; longitude: number } | null> {
  const country = place.kind === "asn" ? (await named(place)).above.findLast(({ kind }) => kind === "location") : place;
  if (country?.kind !== "location") return null;
  const found = await radar.location(country.code).catch(() => null);
  return found && { code: country.code, longitude: Number(found.longitude) };
}

export interface App {
  store: Store;
  state: State;
}

/** The selection of the state as a question. */
export const selected = ({ place, range, completed, unanswered, filters }: State): Asked => ({ place, range, completed, unanswered, only: commonOf(filters) });

const commonOf = (filters: State["filters"]): Record<string, string> =>
  Object.fromEntries(COMMON_FILTERS.map((key) => [key, filters[key] ?? ""] as const).filter(([, value]) => value));

/** Whether there is a choice to rank all connections: source addresses of clients may be spoofed, but not those of this host's own connections. None that is completed ends at Post-SYN. */
export const canRankAll = ({ completed, metric, dataSet }: State): boolean => !completed && metric !== "post_syn" && dataSet !== "origin";

/** Whether rankings count completed handshakes only. */
export const ranksCompleted = (state: State): boolean => state.completed || (canRankAll(state) && !state.every);

/** The selection that rankings are made of. */
export const judged = (state: State): Asked => ({ ...selected(state), completed: ranksCompleted(state) });

const FILTER_NAMES: Record<Filter, string> = { node: "Server", port: "Port", ipVersion: "IP version", signature: "Signature", tag: "Tag", scanner: "Known scanners", stage: "Stage", termination: "Ended by", client: "Client", server: "Server address" };
export const filterName = (key: Filter): string => FILTER_NAMES[key];

const stageTitle = (name: string): string => (isAnomalous(name) || name === "no_match" ? title(name) : name);

/** What people call the values of these filters. */
let titlesOf: Partial<Record<Filter, ReadonlyMap<string, string>>> = {};

/** Whether the terms must be known to say the filters in words. */
export const saysTerms = ({ filters }: State): boolean => Boolean(filters["signature"] ?? filters["tag"] ?? filters["termination"]);

/** A filter in words: `server edge1`. */
export function filterText(key: Filter, value: string): string {
  if (key === "ipVersion") return value;
  if (key === "scanner") return value === "false" ? "known scanners left out" : "known scanners only";
  if (key === "stage") return value === radar.ALL_STAGES ? "all stages" : `stage ${stageTitle(value)}`;
  return `${FILTER_NAMES[key].toLowerCase()} ${titlesOf[key]?.get(value) ?? value}`;
}

/** Switches and filters in words; none if all connections count. */
export function switches(state: Pick<State, "completed" | "unanswered" | "filters">, filters: readonly Filter[] = COMMON_FILTERS): string[] {
  return [
    ...(state.completed ? ["completed handshakes only"] : []),
    ...(state.unanswered ? ["only resets before the first response"] : []),
    ...filters.flatMap((key) => (state.filters[key] ? [filterText(key, state.filters[key])] : [])),
  ];
}

/** From which servers packets are missing, in one sentence. */
function missingServers(meta: Meta): string[] {
  const late = (meta.coverage?.[0]?.nodes ?? []).filter(({ missing }) => Number(missing) >= 1);
  if (late.length === 0) return [];
  const most = Math.max(...late.map(({ missing }) => Number(missing)));
  return [`Packets of ${late.map(({ name }) => name).join(", ")} are missing for ${late.length > 1 ? "up to " : ""}${percent(most)} of this time.`];
}

/** Whether numbers are those of single networks, or ports: only then it matters that rare ones are counted together. */
const asksNetworks = ({ view, place, others }: State): boolean => ["networks", "servers"].includes(view) || [place, ...(view === "compare" ? others : [])].some(({ kind }) => kind === "asn");
const asksPorts = ({ view, filters }: State): boolean => view === "servers" || filters["port"] !== undefined;

/** What a reader must know of an answer, in short sentences. */
export function cautions(meta: Meta, state: State): string[] {
  const { level } = meta.confidenceInfo;
  return [
    ...(level <= 2 ? ["Small sample: percentages are approximate."] : []),
    ...(level === 1 || level === 3 ? ["Data has gaps or mixed sampling rates, so values may jump."] : []),
    ...missingServers(meta),
    ...(meta.pendingWindows ? [`${meta.pendingWindows} windows of 15 minutes are still being processed.`] : []),
    ...(meta.networksFolded && asksNetworks(state) ? ["In some windows, small networks are grouped as “other”."] : []),
    ...(meta.portsFolded && asksPorts(state) ? ["In some windows, rare ports are grouped as “other”."] : []),
  ];
}
