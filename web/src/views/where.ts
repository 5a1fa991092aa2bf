// The world by share, and beside it the ranked table, which also has the places that no map shows.

import type { Asked } from "../api/question";
import * as radar from "../api/radar";
import type { Ranked, Ranking } from "../api/radar";
import { type App, cautions, judged, learn, shortName } from "../app";
import { BINS, type Box, hasShape, worldMap } from "../charts/map";
import { CONTINENTS, type Place } from "../state/place";
import { metricPhrase, metricTitle, stageClass } from "../state/stage";
import { WHOLE_MAP } from "../state/url";
import { segmented } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { unranked } from "../ui/empty";
import { causes } from "../ui/causes";
import { figure } from "../ui/figure";
import { count, many, percent, percentTick } from "../ui/format";
import { metricControl, rankControls } from "../ui/metric";
import { provenance } from "./series";
import { notRanked, rankingData, rankingTable, sorted } from "./ranking";

const MOST = 300;

/** The parts of the map, in degrees. */
const BOXES: Readonly<Record<string, Box>> = {
  AF: [-20, -36, 54, 38],
  AS: [25, -11, 148, 58],
  EU: [-25, 34, 45, 71],
  NA: [-140, 7, -52, 62],
  OC: [110, -48, 180, 2],
  SA: [-84, -56, -33, 14],
};

/** The part that is shown: as asked for, else that of the place. */
function partOf({ state }: App): string {
  if (state.part) return state.part;
  return state.place.kind === "continent" && state.place.code in BOXES ? state.place.code : WHOLE_MAP;
}

function partControl(app: App): HTMLElement {
  const parts = Object.keys(BOXES).map((code) => ({ value: code, label: CONTINENTS[code] ?? code }));
  return segmented("Part of the map", [{ value: WHOLE_MAP, label: "World" }, ...parts], partOf(app), (part) => app.store.go({ part }, true));
}

export async function render(app: App): Promise<Child[]> {
  const { state } = app;
  // A map of one country says little: it shows what is around, with the country marked in the table.
  const place: Place = state.place.kind === "continent" ? state.place : { kind: "world" };
  const asked = { ...judged(state), place };
  const [ranking, places, notes] = await Promise.all([
    radar.topBeside("locations", asked, state.metric, MOST, state.least),
    radar.locations(),
    causes(app.store, state.metric === "any" ? undefined : [state.metric]).catch(() => null),
  ]);
  for (const { alpha2, name, continent } of places) {
    const above: Place[] = continent in CONTINENTS ? [{ kind: "world" }, { kind: "continent", code: continent }] : [{ kind: "world" }];
    learn({ kind: "location", code: alpha2 }, { name, kind: `Country ${alpha2}`, above });
  }
  if (ranking.rows.length === 0) return [controls(app, ranking), await unranked(app, "locations", asked, ranking.meta.minSample)];
  return [controls(app, ranking), map(app, asked, ranking, places, notRanked("country", ranking)), notes];
}

function controls(app: App, ranking: Ranking): HTMLElement {
  return h("div", { class: "row-controls" }, metricControl(app), rankControls(app, ranking.meta.minSample));
}

/** Steps of a scale that end at a round number. */
export function steps(most: number): number[] {
  const rough = most / BINS;
  const size = 10 ** Math.floor(Math.log10(rough || 0.01));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * size).find((n) => n >= rough) ?? rough;
  return Array.from({ length: BINS }, (_, at) => Number((step * (at + 1)).toPrecision(6)));
}

function scaleOf(rows: readonly Ranked[]): number[] {
  const shares = rows.map((row) => row.share).sort((a, b) => a - b);
  // One extreme country must not make all others alike.
  return steps(shares[Math.floor((shares.length - 1) * 0.95)] ?? 1);
}

function map(app: App, asked: Asked, ranking: Ranking, places: Awaited<ReturnType<typeof radar.locations>>, note: HTMLElement | null): HTMLElement {
  const { state, store } = app;
  const current = state.place.kind === "location" ? state.place.code : undefined;
  const rows = new Map(ranking.rows.map((row) => [row.code, row]));
  const scale = scaleOf(ranking.rows);
  const bin = (code: string): number => {
    const row = rows.get(code);
    if (!row) return 0;
    const at = scale.findIndex((top) => row.share <= top);
    return at < 0 ? BINS : at + 1;
  };
  const body = worldMap(
    {
      label: `Map of the world by the share that is ${metricPhrase(state.metric)}; the table has the numbers`,
      class: stageClass(state.metric),
      bin,
      marks: places.filter(({ alpha2 }) => rows.has(alpha2)).map(({ alpha2, latitude, longitude }) => ({ code: alpha2, latitude: Number(latitude), longitude: Number(longitude) })),
      describe: (code) => tip(code, rows.get(code), places.find(({ alpha2 }) => alpha2 === code)?.name),
      current,
      box: BOXES[partOf(app)],
      order: sorted(ranking.rows, state.sort).map(({ code }) => code),
      speak: (code) => spoken(code, rows.get(code)),
      choose: (code) => rows.has(code) && store.go({ view: "overview", place: { kind: "location", code } }),
    },
    matchMedia("(width < 640px)").matches ? 190 : 400,
  );
  const table = rankingTable({
    app,
    what: "Country",
    rows: ranking.rows,
    metric: state.metric,
    link: (row) => ({ view: "overview", place: { kind: "location", code: row.code } }),
    completed: asked.completed,
    current,
    note: (row) => (hasShape(row.code) ? row.code : `${row.code} (dot)`),
  });
  return figure({
    store,
    key: "where",
    title: `${metricTitle(state.metric)}, by country`,
    sub: `Share of ${asked.completed ? "completed handshakes" : "connections"} that are ${metricPhrase(state.metric)}; ${many(ranking.rows.length, "country", "countries")} with at least ${count(ranking.meta.minSample ?? 1)} sampled, ranked by the lower end of the 95 % interval${current ? `; ${shortName(state.place)} is marked` : ""}`,
    body: h("div", { class: "where" }, h("div", { class: "where-map" }, partControl(app), body, keyOf(scale, stageClass(state.metric)), ...cautions(ranking.meta, state).map((text) => h("p", { class: "caution" }, text))), table),
    below: note,
    tabular: true,
    table: () => rankingData("Country", sorted(ranking.rows, state.sort), "Code", asked.completed),
    source: provenance(`${metricTitle(state.metric)}, by country`, state, { meta: ranking.meta, ranges: [ranking.range] }, asked.place),
  });
}

function tip(code: string, row: Ranked | undefined, name = code): HTMLElement {
  if (!row) return h("div", {}, h("p", {}, h("strong", {}, name)), h("p", { class: "muted" }, "Too few connections"));
  return h(
    "div",
    {},
    h("p", {}, h("strong", {}, row.name)),
    h("p", {}, `${percent(row.share)} (${percent(row.low)} to ${percent(row.high)})`),
    h("p", { class: "muted" }, `${count(row.sampled)} sampled`),
  );
}

const spoken = (code: string, row: Ranked | undefined): string => (row ? `${row.name}: ${percent(row.share)}, ${count(row.sampled)} sampled` : `${code}: too few connections`);

/** What the colours mean. */
function keyOf(scale: readonly number[], kind: string): HTMLElement {
  const entries = scale.map((top, at) => {
    const low = at === 0 ? 0 : (scale[at - 1] ?? 0);
    const text = `${at === scale.length - 1 ? "over " : `${low}–`}${percentTick(at === scale.length - 1 ? low : top)}`;
    return h("span", { class: "key-entry", "data-legend": text }, h("span", { class: `key-colour bin-${at + 1}` }), text);
  });
  const none = h("span", { class: "key-entry", "data-legend": "too few" }, h("span", { class: "key-colour bin-0" }), "too few");
  return h("div", { class: `map-key ${kind}` }, none, ...entries);
}
