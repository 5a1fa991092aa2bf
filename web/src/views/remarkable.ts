// Where to look next: the countries and networks of a selection that are cut short most, and at which stages.

import { column, type Groups } from "../api/answers";
import type { Asked } from "../api/question";
import * as radar from "../api/radar";
import type { Ranked } from "../api/radar";
import { type App, judged, learn, selected } from "../app";
import type { Place } from "../state/place";
import { ANOMALOUS, stageClass, title } from "../state/stage";
import type { View } from "../state/url";
import { stateLink } from "../ui/controls";
import { h } from "../ui/dom";
import { compact, percent } from "../ui/format";

const SHOWN = 8;
const SCANNERS = 4;
/** Post-SYN shares from here on, in percent, are said apart. */
const MOSTLY = 50;

interface Line {
  row: Ranked;
  place: Place;
}

export async function remarkable(app: App): Promise<HTMLElement | null> {
  const { place, least } = app.state;
  const asked = judged({ ...app.state, metric: "any" });
  const withCountries = place.kind === "world" || place.kind === "continent";
  const [countries, networks, silent] = await Promise.all([
    withCountries ? radar.top("locations", asked, "any", SHOWN, least) : null,
    place.kind === "asn" ? null : radar.top("ases", asked, "any", SHOWN, least),
    place.kind === "asn" || !asked.completed || app.state.completed ? null : radar.top("ases", selected(app.state), "post_syn", SCANNERS, least),
  ]);
  const places = (countries?.rows ?? []).map((row): Line => ({ row, place: { kind: "location", code: row.code } }));
  const ases = (networks?.rows ?? []).map((row): Line => ({ row, place: { kind: "asn", number: Number(row.code) } }));
  const scanners = (silent?.rows ?? []).filter(({ share }) => share >= MOSTLY).map((row): Line => ({ row, place: { kind: "asn", number: Number(row.code) } }));
  const lines = [...places, ...ases, ...scanners];
  if (lines.length === 0) return null;
  const answer = await radar.summary("stage", lines.map((line, at): Asked => ({ ...asked, completed: asked.completed && at < places.length + ases.length, place: line.place })));
  const parts = new Map(lines.map((line, at) => [line, answer.series[at]]));
  return h(
    "section",
    { class: "remarkable", "aria-label": "Highest cut-short rates" },
    places.length ? list(app, "Countries by cut-short rate", places, parts, "where") : null,
    ases.length ? list(app, "Networks by cut-short rate", ases, parts, "networks") : null,
    scanners.length ? list(app, "Rarely complete a handshake", scanners, parts, null) : null,
  );
}

function list(app: App, heading: string, lines: readonly Line[], parts: ReadonlyMap<Line, Groups | undefined>, all: View | null): HTMLElement {
  const items = lines.map((line) => {
    const { row, place } = line;
    if (place.kind === "location") learn(place, { name: row.name, kind: `Country ${row.code}`, above: [{ kind: "world" }] });
    return h(
      "li",
      {},
      stateLink(app.store, { place }, { key: `go:${row.code}`, title: row.name }, row.name || `AS${row.code}`),
      composition(parts.get(line)),
      h("span", { class: "number" }, percent(row.share)),
      h("span", { class: "number muted", title: "Connections sampled" }, compact(row.sampled)),
    );
  });
  return h(
    "div",
    { class: "panel" },
    h("h2", {}, heading),
    h("p", { class: "ranks-head muted", "aria-hidden": "true" }, h("span", {}, "Share"), h("span", {}, "Sampled")),
    h("ol", { class: "ranks" }, ...items),
    all
      ? h("p", {}, stateLink(app.store, { view: all }, { key: `all:${all}` }, all === "where" ? "All countries" : "All networks"), app.state.completed ? null : h("span", { class: "muted" }, " · of completed handshakes"))
      : h("p", { class: "muted" }, "Scanners, or SYNs with forged source addresses. The other lists leave these connections out."),
  );
}

/** A bar that is cut into the stages, of 100 %. */
function composition(groups: Groups | undefined): HTMLElement {
  const text = ANOMALOUS.map((stage) => `${title(stage)} ${percent(groups ? (column(groups, stage).share[0] ?? 0) : NaN)}`).join(", ");
  const bars = ANOMALOUS.map((stage) => {
    const bar = h("span", { class: `meter-bar ${stageClass(stage)}` });
    bar.style.width = `${groups ? (column(groups, stage).share[0] ?? 0) : 0}%`;
    return bar;
  });
  return h("span", { class: "meter", title: text, role: "img", "aria-label": text }, ...bars);
}
