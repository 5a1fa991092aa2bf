// Where to look next: the countries and networks of a selection that are cut short most.

import * as radar from "../api/radar";
import type { Ranked } from "../api/radar";
import { type App, learn, selected } from "../app";
import type { Place } from "../state/place";
import { type View } from "../state/url";
import { stateLink } from "../ui/controls";
import { h } from "../ui/dom";
import { compact, percent } from "../ui/format";

const SHOWN = 6;

export async function remarkable(app: App): Promise<HTMLElement | null> {
  const { place } = app.state;
  const asked = selected(app.state);
  const withCountries = place.kind === "world" || place.kind === "continent";
  const [countries, networks] = await Promise.all([
    withCountries ? radar.top("locations", asked, "any", SHOWN, app.state.least) : null,
    place.kind === "asn" ? null : radar.top("ases", asked, "any", SHOWN, app.state.least),
  ]);
  const lists = [
    countries && list(app, "Countries cut short most", countries.rows, (row) => ({ kind: "location", code: row.code }), "where"),
    networks && list(app, "Networks cut short most", networks.rows, (row) => ({ kind: "asn", number: Number(row.code) }), "networks"),
  ].filter((one) => one !== null);
  return lists.length ? h("section", { class: "remarkable", "aria-label": "Cut short most" }, ...lists) : null;
}

function list(app: App, heading: string, rows: readonly Ranked[], placeOf: (row: Ranked) => Place, all: View): HTMLElement | null {
  if (rows.length === 0) return null;
  const items = rows.map((row) => {
    const place = placeOf(row);
    if (place.kind === "location") learn(place, { name: row.name, kind: `Country ${row.code}`, above: [{ kind: "world" }] });
    return h(
      "li",
      {},
      stateLink(app.store, { place }, { key: `go:${row.code}` }, row.name || `AS${row.code}`),
      meter(row.share),
      h("span", { class: "number" }, percent(row.share)),
      h("span", { class: "number muted", title: "Connections sampled" }, compact(row.sampled)),
    );
  });
  return h(
    "div",
    {},
    h("h2", {}, heading),
    h("ol", { class: "ranks" }, ...items),
    h("p", {}, stateLink(app.store, { view: all }, { key: `all:${all}` }, all === "where" ? "All countries" : "All networks")),
  );
}

/** A bar as long as a share. */
export function meter(share: number, kind = "any"): HTMLElement {
  const bar = h("span", { class: "meter-bar" });
  bar.style.width = `${Math.min(100, Math.max(0, share))}%`;
  return h("span", { class: `meter stage-${kind.replaceAll("_", "-")}`, "aria-hidden": "true" }, bar);
}
