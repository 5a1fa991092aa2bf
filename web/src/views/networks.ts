// Networks of a selection: ranked, and their series as small multiples, so that one that differs stands out.

import { type Groups, shareAt, total } from "../api/answers";
import * as radar from "../api/radar";
import type { Ranked, Ranking } from "../api/radar";
import { type App, cautions, learn, named, selected } from "../app";
import { highest, type Layer, stackChart } from "../charts/stack";
import type { Place } from "../state/place";
import { ANOMALOUS, metricPhrase, metricTitle, stageClass, title } from "../state/stage";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { nothing, unranked } from "../ui/empty";
import { figure } from "../ui/figure";
import { compact, count, many, percent, points } from "../ui/format";
import { leastControl, metricControl } from "../ui/metric";
import { anomalous, incompleteNote, isEmpty, layersOf, provenance, seriesTable, stepName } from "./series";
import { rankingData, rankingTable, sorted } from "./ranking";

const MOST = 200;
/** Charts that are shown at first, and more with each press. */
const CHARTS = 12;
/** Intervals that lie so many points apart are called different. */
const APART = 5;
/** So many connections in a piece of time make a line that a small chart can show. */
const SMOOTH = 100;
const STEPS: Record<number, string> = { 900_000: "15m", 3_600_000: "1h", 86_400_000: "1d", 604_800_000: "1w" };

export async function render(app: App): Promise<Child[]> {
  const { state } = app;
  if (state.place.kind === "asn") return [await ofOne(app, state.place.number)];
  const asked = selected(state);
  const [ranking, whole] = await Promise.all([radar.top("ases", asked, state.metric, MOST, state.least), radar.summary("stage", [asked])]);
  const [all] = whole.series;
  const bar = h("div", { class: "row-controls" }, metricControl(app), leastControl(app, ranking.meta.minSample));
  if (!all || isEmpty(all)) return [bar, await nothing(app, ranking.range)];
  if (ranking.rows.length === 0) return [bar, await unranked(app, "ases", asked, ranking.meta.minSample)];
  const { name } = await named(state.place);
  for (const row of ranking.rows) learnNetwork(row, state.place);
  const share = shareAt(all, state.metric, 0);
  return [bar, await multiples(app, ranking, all, share, name), table(app, ranking)];
}

function learnNetwork(row: Ranked, place: Place): void {
  if (place.kind !== "location" || !row.name) return;
  learn({ kind: "asn", number: Number(row.code) }, { name: row.name, kind: `Network AS${row.code}`, above: [{ kind: "world" }, place] });
}

async function ofOne(app: App, asn: number): Promise<HTMLElement> {
  const { above } = await named({ kind: "asn", number: asn });
  const country = above.findLast((place) => place.kind === "location") ?? { kind: "world" as const };
  const { name } = await named(country);
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, "One network is chosen"),
    h("p", {}, "This view sets the networks of a country, a continent or the world side by side."),
    h("p", {}, stateLink(app.store, { place: country }, { key: "networks-of" }, `Networks of ${name}`)),
  );
}

/** By how much a network differs from the whole selection; 0 while its interval holds the selection's share. */
export function difference(row: Ranked, share: number): number {
  if (row.low <= share + APART && row.high >= share - APART) return 0;
  return row.share - share;
}

async function multiples(app: App, ranking: Ranking, all: Groups, share: number, name: string): Promise<HTMLElement> {
  const { state, store } = app;
  const rows = sorted(ranking.rows, state.sort);
  const shown = rows.slice(0, CHARTS * (state.page + 1));
  const chunks = Array.from({ length: Math.ceil(shown.length / CHARTS) }, (_, at) => shown.slice(at * CHARTS, (at + 1) * CHARTS));
  const ask = (row: Ranked) => ({ ...selected(state), place: { kind: "asn", number: Number(row.code) } as const });
  // The first networks set how finely time is cut, for all charts.
  const first = await radar.stagesOverTime((chunks[0] ?? []).map(ask), { led: CHARTS, rank: 0.5, few: SMOOTH });
  const same = [["aggInterval", STEPS[first.step] ?? "1h"]] as const;
  const [whole, ...others] = await Promise.all([[selected(state)], ...chunks.slice(1).map((chunk) => chunk.map(ask))].map((asked) => radar.timeseries("stage", asked, same)));
  if (!whole) return h("div");
  const series = [first, ...others].flatMap((answer) => answer.series);
  const layers = series.map((groups) => layersFor(app, groups));
  const before = whole.series[0];
  const line = before && { label: name, times: before.times, shift: 0, values: state.metric === "any" ? anomalous(before) : before.times.map((_, at) => shareAt(before, state.metric, at)) };
  const max = scaleTop(layers, series);
  const cells = shown.map((row, at) => {
    const groups = series[at];
    if (!groups) return null;
    const chart = stackChart({
      label: `${row.name}: share over time`,
      times: groups.times,
      range: whole.ranges[0] ?? [0, 0],
      known: first.known,
      step: whole.step,
      layers: layers[at] ?? [],
      unit: "share",
      sampled: groups.sampled,
      height: 128,
      max,
      before: line,
      small: true,
      title: row.name || `AS${row.code}`,
      note: sharesOf(row, share),
    });
    return cell(app, row, share, name, chart);
  });
  const more = h("button", { type: "button", class: "button", "data-key": "more", onclick: () => store.go({ page: state.page + 1 }, true) }, `Show ${Math.min(CHARTS, rows.length - shown.length)} more`);
  return figure({
    key: "networks",
    title: `${metricTitle(state.metric)}, network by network`,
    sub: `Share of connections per ${stepName(whole.step)}; all charts have the same scale; the dashed line is ${name}, ${percent(share)} of ${compact(total(all.sampled))}`,
    body: h("div", { class: "multiples" }, ...cells),
    table: () => seriesTable("Network", series.map((groups, at) => ({ name: shown[at]?.name || `AS${shown[at]?.code}`, groups }))),
    source: provenance(`${metricTitle(state.metric)} over time, by network`, state, { meta: ranking.meta, ranges: [ranking.range] }),
    legend: h(
      "div",
      { class: "legend" },
      ...(state.metric === "any" ? ANOMALOUS : [state.metric]).map((stage) => h("span", { class: stageClass(stage), "data-legend": title(stage) }, h("span", { class: "swatch" }), title(stage))),
      h("span", { "data-legend": name }, h("span", { class: "dash" }), name),
    ),
    below: h("div", {}, incompleteNote({ ...whole, known: first.known }), rows.length > shown.length ? h("p", { class: "more" }, more, h("span", { class: "muted" }, ` ${shown.length} of ${many(rows.length, "network")}`)) : null),
  });
}

function layersFor({ state }: App, groups: Groups): Layer[] {
  const { metric } = state;
  if (metric === "any") return layersOf(groups, false, state.hidden);
  return [{ label: title(metric), class: stageClass(metric), values: groups.times.map((_, at) => shareAt(groups, metric, at)) }];
}

/** Sparse networks jump to 100 %: the scale follows the bulk of the pieces of time. */
function scaleTop(layers: readonly (readonly Layer[])[], series: readonly Groups[]): number {
  const tops = layers.map((own, at) => highest(own, series[at]?.times.length ?? 0)).sort((a, b) => a - b);
  return Math.min(100, tops[tops.length - 1] ?? 100);
}

/** `23.4 % of 1.2 k, +4.0 points`. */
function sharesOf(row: Ranked, share: number): string {
  const apart = difference(row, share);
  return `${percent(row.share)} of ${compact(row.sampled)}${apart === 0 ? "" : `, ${points(apart)}`}`;
}

function cell(app: App, row: Ranked, share: number, name: string, chart: HTMLElement): HTMLElement {
  const apart = difference(row, share);
  const badge = apart === 0 ? null : h("span", { class: `badge ${apart > 0 ? "above" : "below"}`, title: `Against ${name} as a whole` }, points(apart));
  return h(
    "div",
    { class: "cell" },
    h("h3", {}, stateLink(app.store, { view: "overview", place: { kind: "asn", number: Number(row.code) } }, { key: `cell:${row.code}`, title: `${row.name}, AS${row.code}` }, row.name || `AS${row.code}`)),
    h("p", { class: "cell-numbers" }, h("strong", {}, percent(row.share)), h("span", { class: "muted" }, ` of ${compact(row.sampled)}`), badge),
    chart,
  );
}

function table(app: App, ranking: Ranking): HTMLElement {
  const { state } = app;
  return figure({
    key: "ranking",
    title: `Networks by share ${metricPhrase(state.metric)}`,
    sub: `${many(ranking.rows.length, "network")} with at least ${count(ranking.meta.minSample ?? 1)} connections sampled, ranked by the lower end of their 95 % interval`,
    body: h(
      "div",
      {},
      ...cautions(ranking.meta).map((text) => h("p", { class: "caution" }, text)),
      rankingTable({ app, what: "Network", rows: ranking.rows, metric: state.metric, place: (row) => ({ kind: "asn", number: Number(row.code) }), note: (row) => `AS${row.code}` }),
    ),
    tabular: true,
    table: () => rankingData("Network", sorted(ranking.rows, state.sort), "AS number"),
    source: provenance(`Networks ${metricPhrase(state.metric)}`, state, { meta: ranking.meta, ranges: [ranking.range] }),
  });
}
