// Up to six selections, over each other or side by side on one scale, and each against an earlier period.

import { column, type Groups, shareAt, total } from "../api/answers";
import { ROOT } from "../api/client";
import * as radar from "../api/radar";
import type { Ranked } from "../api/radar";
import { type App, cautions, judged, named, selected } from "../app";
import { listMarks, type Mark } from "../charts/marks";
import type { Line } from "../charts/lines";
import { highest, stackChart } from "../charts/stack";
import { ANOMALOUS, metricTitle, metricPhrase, stageClass, title } from "../state/stage";
import { type Place, placeKey, samePlace } from "../state/place";
import { controlShift, formatState, MOST_COMPARED, type State } from "../state/url";
import { segmented, stateLink, toggle } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { nothing } from "../ui/empty";
import { figure } from "../ui/figure";
import { metricControl } from "../ui/metric";
import { searchField } from "../ui/search";
import { shortTable, type Table } from "../ui/table";
import { points } from "../ui/format";
import { capital, unlike } from "./earlier";
import { type Compared, comparedChart, comparedLegend, comparedLines, comparison } from "./compared";
import { marksOfEvents, SHOWN_EVENTS } from "./happened";
import { anomalous, incompleteNote, isEmpty, layersOf, provenance, unitText, seriesTable } from "./series";

const MOST_RANKED = 100;

export async function render(app: App): Promise<Child[]> {
  const compared = await comparison(app.state);
  const { places, sums } = compared;
  if (sums.series.slice(0, places.length).every(isEmpty)) return [await picker(app, compared), await nothing(app, sums.ranges[0] ?? [0, 0])];
  const marks = await eventsOf(app.state, compared);
  const chart = app.state.over ? overEachOther(app, compared, marks[0] ?? []) : sideBySide(app, compared, marks);
  return [await picker(app, compared), chart, numbers(app.state, compared)];
}

/** The events of each place, as spans on its chart. */
async function eventsOf(state: State, { places, series }: Compared): Promise<Mark[][]> {
  const found = await Promise.all(places.map((place) => radar.events({ ...selected(state), place }, SHOWN_EVENTS).catch(() => [])));
  return places.map((place, at) => marksOfEvents(found[at] ?? [], place, series.ranges[at] ?? [0, 0], Date.now()));
}

async function picker(app: App, { places, names }: Compared): Promise<HTMLElement> {
  const { store, state } = app;
  const without = (place: Place): Place[] => state.others.filter((other) => !samePlace(other, place));
  const chips = places.map((place, at) => {
    const name = names[at] ?? "";
    const label = h("span", {}, h("span", { class: `swatch hue-${at}` }), name);
    // The first one is the place of the whole page.
    if (at === 0) return h("li", { class: "chip" }, label);
    const remove = h("button", { type: "button", "aria-label": `Remove ${name}`, title: "Remove", "data-key": `remove:${placeKey(place)}`, onclick: () => store.go({ others: without(place) }) }, "×");
    return h("li", { class: "chip" }, label, remove);
  });
  const add = searchField({
    label: "Add a country or network to compare",
    placeholder: "Add a country or network (up to six)",
    key: "compare-add",
    choose: (place) => store.go({ others: [...state.others, place].slice(0, MOST_COMPARED - 1) }),
  });
  return h(
    "section",
    { class: "picker", "aria-label": "What is compared" },
    h("ul", { class: "chips" }, ...chips),
    places.length < MOST_COMPARED ? add : h("p", { class: "muted" }, "Six selections is the maximum: remove one to add another."),
    places.length === 1 ? await suggestions(app) : null,
  );
}

/** Where nobody has chosen yet: networks of the same country, or countries around. */
async function suggestions(app: App): Promise<HTMLElement | null> {
  const { place } = app.state;
  const { above } = await named(place);
  const wider: Place = above.findLast(({ kind }) => kind === (place.kind === "asn" ? "location" : "continent")) ?? { kind: "world" };
  const what = place.kind === "asn" ? "ases" : "locations";
  const ranking = await radar.top(what, { ...judged(app.state), place: wider }, app.state.metric, MOST_RANKED, 0).catch(() => null);
  const placeOf = (row: Ranked): Place => (what === "ases" ? { kind: "asn", number: Number(row.code) } : { kind: "location", code: row.code });
  const largest = (ranking?.rows ?? []).filter((row) => placeKey(placeOf(row)) !== placeKey(place)).sort((a, b) => b.sampled - a.sampled);
  const rows = largest.slice(0, MOST_COMPARED - 1);
  if (rows.length === 0) return null;
  const links = rows.map((row) => stateLink(app.store, { others: [placeOf(row)] }, { class: "button", key: `suggest:${row.code}` }, row.name || `AS${row.code}`));
  return h("p", { class: "suggestions" }, h("span", { class: "muted" }, "Compare with"), ...links);
}

function tools({ store, state }: App, { earlier }: Compared): HTMLElement[] {
  return [
    toggle(capital(earlier.name.replace(/^the /, "")), `Dashed: ${earlier.dated}`, state.control, (control) => store.go({ control })),
    segmented("Layout", [{ value: false, label: "Side by side" }, { value: true, label: "Overlaid" }], state.over, (over) => store.go({ over })),
  ];
}

const zoom = ({ store }: App) => (from: number, to: number): void => store.go({ range: { kind: "fixed", from, to } });

function overEachOther(app: App, compared: Compared, marks: readonly Mark[]): HTMLElement {
  const { state } = app;
  const { series, names } = compared;
  const lines = comparedLines(state, compared);
  return figure({
    store: app.store,
    key: "compare",
    title: `${metricTitle(state.metric)}, compared`,
    sub: `${unitText(false, series.step, undefined, state.completed && state.dataSet !== "quic")} that are ${metricPhrase(state.metric)}`,
    body: comparedChart(compared, lines, 300, marks, zoom(app)),
    table: () => overTable(lines),
    source: { ...provenance(`${metricTitle(state.metric)}, compared`, state, series), selection: names.join(", ") },
    tools: tools(app, compared),
    below: h("div", {}, listMarks(marks), incompleteNote({ ...series, series: series.series.slice(0, compared.places.length) }, "lines")),
    legend: h("div", {}, metricControl(app), comparedLegend(lines)),
    embed: (range) => new URL(`embed/compare${formatState({ ...state, range })}`, ROOT).href,
  });
}

function overTable(lines: readonly Line[]): Table {
  const times = [...new Set(lines.flatMap((one) => one.times.map((time) => time + (one.shift ?? 0))))].sort((a, b) => a - b);
  const by = lines.map((one) => new Map(one.times.map((time, at) => [time + (one.shift ?? 0), one.values[at] ?? null])));
  return {
    columns: [{ label: "Time (UTC)" }, ...lines.map((one) => ({ label: one.label, as: "percent" as const }))],
    rows: times.map((time) => [new Date(time).toISOString().slice(0, 16) + "Z", ...by.map((map) => map.get(time) ?? null)]),
  };
}

function sideBySide(app: App, compared: Compared, marks: readonly Mark[][]): HTMLElement {
  const { state } = app;
  const { places, names, series, earlier } = compared;
  const isShown = state.control && !earlier.missing;
  const own = series.series.slice(0, places.length);
  const control = (at: number): Groups | undefined => (isShown ? series.series[at + places.length] : undefined);
  const layers = own.map((groups) => layersOf(groups, false, state.hidden));
  const tops = own.flatMap((groups, at) => [highest(layers[at] ?? [], groups.times.length), ...(control(at) ? anomalous(control(at) as Groups) : [])]);
  const max = Math.max(...tops);
  const cells = own.map((groups, at) => {
    const before = control(at);
    const chart = stackChart({
      label: `${names[at]}: stacked areas of the anomalous stages`,
      times: groups.times,
      range: series.ranges[at] ?? [0, 0],
      known: series.known,
      gaps: series.gaps,
      step: series.step,
      layers: layers[at] ?? [],
      unit: "share",
      sampled: groups.sampled,
      height: places.length > 2 ? 190 : 260,
      max,
      before: before && { label: capital(earlier.ago), times: before.times, shift: controlShift(state.range), values: anomalous(before) },
      marks: marks[at] ?? [],
      zoom: zoom(app),
      title: names[at] ?? "",
      small: true,
    });
    return h("div", { class: "cell" }, h("h3", {}, stateLink(app.store, { view: "overview", place: places[at] ?? { kind: "world" }, others: [] }, { key: `cell:${at}` }, names[at] ?? "")), ...(isEmpty(groups) ? [h("p", { class: "muted" }, "No connections")] : [chart, listMarks(marks[at] ?? [])]));
  });
  return figure({
    store: app.store,
    key: "compare",
    title: "Cut short over time, side by side",
    sub: `${unitText(false, series.step, undefined, state.completed && state.dataSet !== "quic")}; all charts have the same scale`,
    body: h("div", { class: places.length === 1 ? "" : "pairs" }, ...cells),
    table: () => seriesTable("Selection", own.map((groups, at) => ({ name: names[at] ?? "", groups, before: control(at), shift: controlShift(state.range) })), capital(earlier.ago)),
    source: { ...provenance("Cut short over time, compared", state, series), selection: names.join(", ") },
    tools: tools(app, compared),
    below: incompleteNote({ ...series, series: own }, "areas"),
    legend: h(
      "div",
      { class: "legend" },
      ...ANOMALOUS.filter((stage) => !state.hidden.includes(stage)).map((stage) => h("span", { class: stageClass(stage), "data-legend": title(stage) }, h("span", { class: "swatch" }), title(stage))),
      isShown ? h("span", { "data-legend": `Total, ${earlier.ago}` }, h("span", { class: "dash" }), `Total, ${earlier.ago}`) : null,
    ),
  });
}

/** The whole range in numbers. */
function numbers(state: State, { places, names, sums, meta, earlier }: Compared): HTMLElement {
  const isCompared = !earlier.missing && places.some((_, at) => !unlike(earlier, sums.series[at + places.length]));
  const rows = places.map((_, at) => {
    const [now, before] = [sums.series[at], sums.series[at + places.length]];
    const share = now && !isEmpty(now) ? shareAt(now, "any", 0) : NaN;
    const then = before && !unlike(earlier, before) ? shareAt(before, "any", 0) : NaN;
    const change = Number.isNaN(share - then) ? "–" : points(share - then);
    const stages = ANOMALOUS.map((stage) => (now && column(now, stage).share[0]) ?? NaN);
    return [names[at] ?? "", share, ...stages, ...(isCompared ? [then, change] : []), now ? total(now.sampled) : 0];
  });
  const none = sums.series.slice(places.length).every(isEmpty) ? `No comparison: no connections in ${earlier.dated}.` : null;
  const before = [earlier.missing ?? none ?? `Change: against ${earlier.dated}.`];
  const stages = ANOMALOUS.map((stage) => ({ label: title(stage), as: "percent" as const }));
  const table: Table = {
    columns: [{ label: "Selection" }, { label: "Cut short", as: "percent" }, ...stages, ...(isCompared ? ([{ label: capital(earlier.ago), as: "percent" }, { label: "Change", as: "text" }] as const) : []), { label: "Sampled", as: "count" }],
    rows,
  };
  return h("section", {}, h("h2", {}, "Totals for the period"), shortTable("Selections compared over the whole time", table), ...before.map((text) => h("p", { class: "muted totals-note" }, text)), ...cautions(meta, state).map((text) => h("p", { class: "caution" }, text)));
}

