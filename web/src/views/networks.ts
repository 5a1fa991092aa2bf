// Networks of a selection: ranked, and their series as small multiples, so that one that differs stands out.

import { type Groups, shareAt, total } from "../api/answers";
import * as radar from "../api/radar";
import type { Ranked, Ranking } from "../api/radar";
import type { Asked } from "../api/question";
import { type App, cautions, judged, learn, named } from "../app";
import type { Place } from "../state/place";
import { metricPhrase, metricTitle } from "../state/stage";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { nothing, unranked } from "../ui/empty";
import { figure } from "../ui/figure";
import { many } from "../ui/format";
import { metricControl, rankControls } from "../ui/metric";
import { type Cell, multiples } from "./multiples";
import { isEmpty, provenance } from "./series";
import { upstreams } from "./upstreams";
import { notRanked, rankingData, rankingTable, sorted } from "./ranking";

const MOST = 200;
/** Charts that are shown at first, and more with each press. */
const CHARTS = 12;
/** Intervals that lie so many points apart are called different. */
const APART = 5;

export async function render(app: App): Promise<Child[]> {
  return app.state.dataSet === "origin" ? [await upstreams(app), ...(await networks(app))] : networks(app);
}

async function networks(app: App): Promise<Child[]> {
  const { state } = app;
  if (state.place.kind === "asn") return [await ofOne(app, state.place.number)];
  const asked = judged(state);
  const [ranking, whole] = await Promise.all([radar.topBeside("ases", asked, state.metric, MOST, state.least), radar.summary("stage", [asked])]);
  const [all] = whole.series;
  const bar = h("div", { class: "row-controls" }, metricControl(app), rankControls(app, ranking.meta.minSample));
  if (!all || isEmpty(all)) return [bar, await nothing(app, ranking.range)];
  if (ranking.rows.length === 0) return [bar, await unranked(app, "ases", asked, ranking.meta.minSample)];
  const { name } = await named(state.place);
  for (const row of ranking.rows) learnNetwork(row, state.place);
  const share = shareAt(all, state.metric, 0);
  return [bar, await charts(app, asked, ranking, all, share, name), table(app, asked, ranking, notRanked("network", ranking))];
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

function charts(app: App, asked: Asked, ranking: Ranking, all: Groups, share: number, name: string): Promise<HTMLElement> {
  const { state, store } = app;
  const rows = sorted(ranking.rows, state.sort);
  const shown = rows.slice(0, CHARTS * (state.page + 1));
  const more = h("button", { type: "button", class: "button", "data-key": "more", onclick: () => store.go({ page: state.page + 1 }, true) }, `Show ${Math.min(CHARTS, rows.length - shown.length)} more`);
  return multiples(app, {
    key: "networks",
    what: "Network",
    heading: `${metricTitle(state.metric)}, network by network`,
    cells: shown.map((row): Cell => {
      const place = { kind: "asn", number: Number(row.code) } as const;
      return { key: row.code, name: row.name || `AS${row.code}`, title: `${row.name}, AS${row.code}`, share: row.share, sampled: row.sampled, apart: difference(row, share), link: { view: "overview", place }, asked: { ...asked, place } };
    }),
    whole: { name, asked, share, sampled: total(all.sampled) },
    source: () => provenance(`${metricTitle(state.metric)} over time, by network`, state, { meta: ranking.meta, ranges: [ranking.range] }),
    below: rows.length > shown.length ? h("p", { class: "more" }, more, h("span", { class: "muted" }, ` ${shown.length} of ${many(rows.length, "network")}`)) : null,
  });
}

function table(app: App, asked: Asked, ranking: Ranking, note: HTMLElement | null): HTMLElement {
  const { state } = app;
  return figure({
    store: app.store,
    key: "ranking",
    title: `Networks by share ${metricPhrase(state.metric)}`,
    sub: `${many(ranking.rows.length, "network")} with at least ${many(ranking.meta.minSample ?? 1, asked.completed ? "completed handshake" : "connection")} sampled, ranked by the lower end of their 95 % interval`,
    body: h(
      "div",
      {},
      ...cautions(ranking.meta, state).map((text) => h("p", { class: "caution" }, text)),
      rankingTable({ app, what: "Network", rows: ranking.rows, metric: state.metric, link: (row) => ({ view: "overview", place: { kind: "asn", number: Number(row.code) } }), completed: asked.completed, note: (row) => `AS${row.code}` }),
    ),
    below: note,
    tabular: true,
    table: () => rankingData("Network", sorted(ranking.rows, state.sort), "AS number", asked.completed),
    source: provenance(`Networks ${metricPhrase(state.metric)}`, state, { meta: ranking.meta, ranges: [ranking.range] }),
  });
}
