// Servers, ports and IP versions side by side: is it us or them?

import { type Groups, shareAt, total } from "../api/answers";
import { type Asked, narrowed } from "../api/question";
import * as radar from "../api/radar";
import type { Ranked } from "../api/radar";
import { type App, cautions, judged, named } from "../app";
import { agreement, type Agreement, differ, interval, LEAST, MARGIN, SMALL_MARGIN, type Sample } from "../stats/proportions";
import { type Metric, metricPhrase, metricTitle } from "../state/stage";
import { type Filter, type Part, PARTS, type State } from "../state/url";
import { segmented, stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { nothing } from "../ui/empty";
import { figure } from "../ui/figure";
import { count } from "../ui/format";
import { everyControl, metricControl } from "../ui/metric";
import { marksOfEvents, SHOWN_EVENTS } from "./happened";
import { type Cell, matching, multiples } from "./multiples";
import { rankingData, rankingTable, sorted } from "./ranking";
import { isEmpty, provenance } from "./series";
import { called, type Compared, FILE, headline, type Kind, KINDS, line, NUMBERED } from "./verdict";

const NAMES: Record<Part, { one: string; many: string; each: string; filter: Filter }> = {
  node: { one: "Server", many: "Servers", each: "server by server", filter: "node" },
  port: { one: "Port", many: "Ports", each: "port by port", filter: "port" },
  ip_version: { one: "IP version", many: "IP versions", each: "by IP version", filter: "ipVersion" },
};
const LABELS: Record<Kind, string> = { node: "Servers", port: "Ports", ip_version: "IP versions", as: "Networks" };
/** With the whole there are as many series as a question may have. */
const MOST = 19;
const MOST_NETWORKS = 200;
/** Not names of one server or port. */
const TOGETHER = new Set(["other", "unknown", "none"]);

interface Parts {
  names: string[];
  whole: Groups;
  groups: Groups[];
}

export async function render(app: App): Promise<Child[]> {
  const { state, store } = app;
  const asked = judged(state);
  const [sum, all, networks, ...parts] = await Promise.all([
    radar.summary("stage", [asked]),
    radar.summary("stage", [{ ...asked, completed: false }]),
    state.place.kind === "asn" ? null : radar.top("ases", asked, state.metric, MOST_NETWORKS, LEAST),
    ...PARTS.map((by) => partsOf(by, asked)),
  ]);
  const [whole] = sum.series;
  const choice = segmented("By", PARTS.map((by) => ({ value: by, label: NAMES[by].many })), state.by, (by) => store.go({ by, sort: "" }));
  const bar = h("div", { class: "row-controls" }, choice, metricControl(app), everyControl(app));
  if (!whole || isEmpty(whole)) return [bar, isEmpty(all.series[0]) ? await nothing(app, sum.ranges[0] ?? [0, 0]) : onlyIncomplete()];
  const own = parts[PARTS.indexOf(state.by)] ?? { names: [], whole, groups: [] };
  const compared: Compared = Object.fromEntries([
    ...PARTS.map((by, at) => [by, agreement(samplesOf(parts[at], state.metric))] as const),
    ...(networks ? [["as", agreement(networks.rows.map(({ code, name, matching, sampled }) => ({ name: name || `AS${code}`, matching, sampled })))] as const] : []),
  ]);
  const rows = await rowsOf(own, asked, state);
  const [{ name }, events] = await Promise.all([named(state.place), radar.events(asked, SHOWN_EVENTS).catch(() => [])]);
  const marks = marksOfEvents(events, state.place, sum.ranges[0] ?? [0, 0], Date.now());
  const share = shareAt(whole, state.metric, 0);
  const many = NAMES[state.by];
  const filter = (row: Ranked): Partial<State> => ({ view: "overview", filters: { ...state.filters, [many.filter]: row.code } });
  const cells = rows.map((row): Cell => ({
    key: row.code,
    name: row.name,
    title: `Only ${called(state.by, row.code)}`,
    share: row.share,
    sampled: row.sampled,
    interval: [row.low, row.high],
    apart: rows.length > 1 && differ(row, rest(whole, row, state.metric), rows.length) ? row.share - share : 0,
    link: filter(row),
    asked: narrowed(asked, { [many.filter]: row.code }),
  }));
  return [
    bar,
    await panel(app, compared, networks?.rows ?? []),
    await multiples(app, {
      key: "servers",
      what: many.one,
      heading: `${metricTitle(state.metric)}, ${many.each}`,
      cells,
      whole: { name, asked, share, sampled: total(whole.sampled) },
      marks,
      source: (answer) => provenance(`${metricTitle(state.metric)}, ${many.each}`, state, answer),
    }),
    figure({
      store,
      key: "servers-ranking",
      title: `${many.many} by share ${metricPhrase(state.metric)}`,
      sub: `Shares of ${asked.completed ? "completed handshakes" : "connections"}; the thin line is the 95 % interval`,
      body: h("div", {}, ...cautions(sum.meta, state).map((text) => h("p", { class: "caution" }, text)), rankingTable({ app, what: many.one, rows, metric: state.metric, link: filter, completed: asked.completed })),
      tabular: true,
      table: () => rankingData(many.one, sorted(rows, state.sort), "Value", asked.completed),
      source: provenance(`${many.many} ${metricPhrase(state.metric)}`, state, sum),
    }),
  ];
}

const onlyIncomplete = (): HTMLElement =>
  h("div", { class: "empty" }, h("h2", {}, "No handshake was completed"), h("p", {}, "Servers are compared by connections that completed the handshake, and this selection has none. “Rank all connections” compares all of them."));

/** All connections but those of one. */
const rest = (whole: Groups, row: Ranked, metric: Metric): Omit<Sample, "name"> => ({ matching: matching(whole, metric) - row.matching, sampled: total(whole.sampled) - row.sampled });

/** The values of a dimension that have connections, and each one's stages. */
async function partsOf(by: Part, asked: Asked): Promise<Parts> {
  const found = await radar.summary(by, [asked], MOST);
  const [all] = found.series;
  const names = [...(all?.by ?? [])].filter(([name, { sampled }]) => !TOGETHER.has(name) && total(sampled) > 0).map(([name]) => name);
  if (!all || names.length === 0) return { names: [], whole: all ?? { times: [], sampled: [], weight: [], by: new Map() }, groups: [] };
  const { series } = await radar.summary("stage", names.map((name) => narrowed(asked, { [NAMES[by].filter]: name })));
  return { names, whole: all, groups: series };
}

const samplesOf = (parts: Parts | undefined, metric: Metric): Sample[] =>
  (parts?.names ?? []).map((name, at) => {
    const groups = parts?.groups[at];
    return { name, matching: groups ? matching(groups, metric) : 0, sampled: total(groups?.sampled ?? []) };
  });

/** The lines of the ranking, the highest lower end first; the same over other connections stands beside. */
async function rowsOf({ names, groups }: Parts, asked: Asked, { metric, by }: State): Promise<Ranked[]> {
  if (names.length === 0) return [];
  const other = names.map((name) => narrowed({ ...asked, completed: !asked.completed }, { [NAMES[by].filter]: name }));
  const { series } = await radar.summary("stage", other);
  const rows = names.map((code, at): Ranked => {
    const [own, beside] = [groups[at], series[at]];
    const [hits, sampled] = [own ? matching(own, metric) : 0, total(own?.sampled ?? [])];
    const [low, high] = interval(hits, sampled);
    return {
      code,
      name: by === "port" ? `Port ${code}` : code === FILE ? "Imported captures" : code,
      share: own ? shareAt(own, metric, 0) : NaN,
      low,
      high,
      matching: hits,
      sampled,
      beside: beside && !isEmpty(beside) ? { share: shareAt(beside, metric, 0), sampled: total(beside.sampled) } : null,
    };
  });
  return rows.sort((a, b) => b.low - a.low);
}

/** The sentence, and what it rests on. */
async function panel(app: App, compared: Compared, networks: readonly Ranked[]): Promise<HTMLElement> {
  const kinds = KINDS.filter((kind) => compared[kind]);
  const lines = kinds.flatMap((kind) => {
    const found = compared[kind] as Agreement;
    return [h("dt", {}, LABELS[kind]), h("dd", {}, line(kind, found), ...ways(app, kind, found, networks))];
  });
  return h(
    "section",
    { class: "panel verdict", "aria-labelledby": "verdict-title" },
    h("h2", { id: "verdict-title" }, "Is it us or them?"),
    h("p", { class: "verdict-text", "data-value": "verdict" }, headline(compared)),
    h("dl", { class: "facts" }, ...lines),
    h(
      "p",
      { class: "muted" },
      `Different means: at least ${MARGIN} points from the others, or at least ${SMALL_MARGIN} point and twice as much or half as much, and more than chance explains (two-proportion tests, Bonferroni-corrected, 5 % for each line). Servers whose clients come from different networks may differ for that reason alone: look at one country or network to be sure.`,
    ),
  );
}

/** Links to those that differ. */
function ways({ store, state }: App, kind: Kind, { apart }: Agreement, networks: readonly Ranked[]): Child[] {
  const links = apart.slice(0, NUMBERED).map(({ name }) => {
    const code = networks.find((row) => row.name === name || `AS${row.code}` === name)?.code;
    const change: Partial<State> =
      kind === "as" ? { view: "overview", place: { kind: "asn", number: Number(code) } } : { view: "overview", filters: { ...state.filters, [NAMES[kind].filter]: name } };
    return [" ", stateLink(store, change, { key: `apart:${kind}:${name}`, class: "way" }, `Look at ${called(kind, name)}`)];
  });
  const all = kind === "as" && apart.length > NUMBERED ? [" ", stateLink(store, { view: "networks" }, { key: "apart:networks", class: "way" }, `All ${count(apart.length)} in Networks`)] : [];
  return [...links.flat(), ...all];
}
