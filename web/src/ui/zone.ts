// The time zone in which times are said: UTC, the reader's, or that of the place. Data files keep UTC.

import type { Zone } from "../state/url";

const HOUR = 3_600_000;
const QUARTER = HOUR / 4;

interface Current {
  /** As in the IANA database; `UTC` needs no look-up. */
  id: string;
  parts: Intl.DateTimeFormat | null;
  offsets: Map<number, number>;
}

const UTC: Current = { id: "UTC", parts: null, offsets: new Map() };
let current = UTC;

/** Says times in a zone from now on. */
export function useZone(id: string): void {
  if (id === current.id) return;
  if (id === "UTC") current = UTC;
  else {
    const parts = new Intl.DateTimeFormat("en", { timeZone: id, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" });
    current = { id, parts, offsets: new Map() };
  }
}

/** `UTC`, `Tehran time`. */
export const zoneName = (): string => (current.parts ? `${(current.id.split("/").at(-1) ?? "").replaceAll("_", " ")} time` : "UTC");

/** How far a zone is ahead of UTC at a time, in milliseconds. Zones change at quarters of an hour. */
function offset(time: number): number {
  const { parts, offsets } = current;
  if (!parts || !Number.isFinite(time)) return 0;
  const quarter = Math.floor(time / QUARTER) * QUARTER;
  const known = offsets.get(quarter);
  if (known !== undefined) return known;
  const of = Object.fromEntries(parts.formatToParts(quarter).map(({ type, value }) => [type, Number(value)]));
  const found = Date.UTC(of["year"] ?? 0, (of["month"] ?? 1) - 1, of["day"], of["hour"], of["minute"]) - quarter;
  offsets.set(quarter, found);
  return found;
}

/** A time as if its clock in the zone was UTC's: for reading its parts. */
export const inZone = (time: number): number => time + offset(time);

/** The time at which the zone's clock shows this. */
export const fromZone = (shown: number): number => shown - offset(shown - offset(shown));

/** The reader's zone. */
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** A country's zone: of several the one whose clock fits its longitude; none where the browser knows none. */
export function zoneOf(country: string, longitude: number): string | null {
  const locale = new Intl.Locale("und", { region: country }) as Intl.Locale & { getTimeZones?(): string[]; timeZones?: string[] };
  const zones = locale.getTimeZones?.() ?? locale.timeZones ?? [];
  const apart = (id: string): number => Math.abs(standardOffset(id) - (longitude / 15) * HOUR);
  const [first] = zones.map((id) => ({ id, apart: apart(id) })).sort((a, b) => a.apart - b.apart);
  return first?.id ?? null;
}

/** In January or July, whichever is earlier: without summer time. */
function standardOffset(id: string): number {
  const before = current;
  useZone(id);
  const found = Math.min(offset(Date.UTC(2026, 0, 15)), offset(Date.UTC(2026, 6, 15)));
  current = before;
  return found;
}

/** Which zone a choice means; UTC where it cannot be known. */
export function zoneId(zone: Zone, country: { code: string; longitude: number } | null): string {
  if (zone === "local") return localZone();
  if (zone === "place" && country) return zoneOf(country.code, country.longitude) ?? "UTC";
  return "UTC";
}
