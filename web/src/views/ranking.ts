// A ranking as a table: share with interval, sample size, sortable.

import type { Ranked, Ranking } from "../api/radar";
import { type App } from "../app";
import { type Metric, stageClass } from "../state/stage";
import type { State } from "../state/url";
import { stateLink } from "../ui/controls";
import { h } from "../ui/dom";
import { count, percent } from "../ui/format";
import type { Table } from "../ui/table";

type Key = "name" | "share" | "beside" | "sampled";

interface Head {
  key: Key;
  label: string;
  title: string;
  of: (row: Ranked) => number | string;
}

/** What stands beside the share. */
const beside = (completed: boolean): { label: string; title: string } =>
  completed ? { label: "All", title: "The same over all connections, also those whose source address may be spoofed" } : { label: "Completed", title: "The same over connections that completed the handshake" };

function heads(what: string, completed: boolean): Head[] {
  return [
    { key: "name", label: what, title: "By name", of: (row) => row.name },
    { key: "share", label: "Share", title: "By share; the thin line is the 95 % interval", of: (row) => row.share },
    { key: "beside", ...beside(completed), of: (row) => row.beside?.share ?? NaN },
    { key: "sampled", label: "Sampled", title: "By connections sampled", of: (row) => row.sampled },
  ];
}

/** Rows in the order that the state asks for; as the server ranks them if it asks for none. */
export function sorted(rows: readonly Ranked[], sort: string): Ranked[] {
  const falling = sort.startsWith("-");
  const head = heads("", false).find(({ key }) => key === sort.replace(/^-/, ""));
  if (!head) return [...rows];
  const compare = (a: Ranked, b: Ranked): number => {
    const [x, y] = [head.of(a), head.of(b)];
    if (typeof x === "string") return x.localeCompare(String(y));
    return (Number.isNaN(x) ? -1 : x) - (Number.isNaN(y) ? -1 : Number(y));
  };
  return [...rows].sort((a, b) => (falling ? compare(b, a) : compare(a, b)));
}

export interface RankingSpec {
  app: App;
  what: string;
  rows: readonly Ranked[];
  metric: Metric;
  /** What a name leads to. */
  link: (row: Ranked) => Partial<State>;
  /** Over completed handshakes. */
  completed: boolean;
  note?: (row: Ranked) => string;
  /** The one that is marked. */
  current?: string | undefined;
}

export function rankingTable({ app, what, rows, metric, link, completed, note, current }: RankingSpec): HTMLElement {
  const { store, state } = app;
  const scale = Math.max(1, ...rows.map((row) => row.high));
  const header = heads(what, completed).map(({ key, label, title }) => {
    const rising = state.sort === key;
    const falling = state.sort === `-${key}`;
    const first = key === "name" ? key : `-${key}`;
    const next = state.sort === first ? (key === "name" ? `-${key}` : key) : first;
    const button = h("button", { type: "button", title, "data-key": `sort:${key}`, onclick: () => store.go({ sort: next }, true) }, label, h("span", { class: "arrow", "aria-hidden": "true" }, rising ? "↑" : falling ? "↓" : ""));
    return h("th", { scope: "col", class: key === "name" ? null : `number ${key}`, "aria-sort": rising ? "ascending" : falling ? "descending" : null }, button);
  });
  const lines = sorted(rows, state.sort).map((row) => {
    const extra = note?.(row);
    return h(
      "tr",
      { class: row.code === current ? "current" : null },
      h("th", { scope: "row" }, stateLink(store, link(row), { key: `row:${row.code}` }, row.name || row.code), extra ? h("span", { class: "muted code" }, extra) : null),
      h("td", { class: "number" }, h("span", { class: "share" }, interval(row, metric, scale), h("span", {}, percent(row.share)))),
      h("td", { class: "number muted beside" }, percent(row.beside?.share ?? NaN)),
      h("td", { class: "number" }, count(row.sampled)),
    );
  });
  if (current) requestAnimationFrame(() => showCurrent(lines));
  const caption = `${what}: share${completed ? " of completed handshakes, of all connections" : ", the same over completed handshakes"}, and connections sampled`;
  return h(
    "div",
    { class: "table-scroll ranking", tabindex: 0, role: "region", "aria-label": caption },
    h("table", { class: "data" }, h("caption", { class: "sr-only" }, caption), h("thead", {}, h("tr", {}, ...header)), h("tbody", {}, ...lines)),
  );
}

/** Scrolls the list, not the page, to the marked line. */
function showCurrent(lines: readonly HTMLElement[]): void {
  const line = lines.find((one) => one.classList.contains("current"));
  const box = line?.closest(".ranking");
  if (line && box) box.scrollTop = line.offsetTop - box.clientHeight / 2;
}

/** What is not in a ranking: those with few connections, and those that nothing is known of. */
export function notRanked(what: "network" | "country", { rows, meta }: Ranking): HTMLElement | null {
  const left = meta.ranked?.[0];
  if (!left) return null;
  const { minSample, ranked, tooSmall, tooSmallConnections, unknownConnections, otherConnections, scannerConnections } = left;
  const named = (n: number): string => `${count(n)} ${n === 1 ? what : what === "network" ? "networks" : "countries"}`;
  const all = rows.reduce((sum, row) => sum + row.sampled, tooSmallConnections + unknownConnections + otherConnections);
  const sampled = (n: number): string => `${count(n)} sampled${ranked > rows.length ? "" : ` (${percent((100 * n) / all)})`}`;
  const parts = [
    ...(tooSmall > 0 ? [`${sampled(tooSmallConnections)} from ${named(tooSmall)} with fewer than ${count(minSample)} each`] : []),
    ...(ranked > rows.length ? [`${named(ranked - rows.length)} beyond the ${count(rows.length)} listed`] : []),
    ...(otherConnections > 0 ? [`${sampled(otherConnections)} that the store counts as “other”`] : []),
    ...(unknownConnections > 0 ? [`${sampled(unknownConnections)} whose ${what} is unknown`] : []),
    ...(scannerConnections > 0 ? [`${count(scannerConnections)} sampled of known scanners, left out`] : []),
  ];
  return parts.length ? h("p", { class: "muted not-ranked" }, `Not ranked: ${parts.join("; ")}.`) : null;
}

/** A bar with the interval of the share. */
function interval(row: Ranked, metric: Metric, scale: number): HTMLElement {
  const bar = h("span", { class: "interval-bar" });
  const line = h("span", { class: "interval-line" });
  bar.style.width = `${(100 * row.share) / scale}%`;
  line.style.left = `${(100 * row.low) / scale}%`;
  line.style.width = `${(100 * Math.max(0, row.high - row.low)) / scale}%`;
  const text = `95 % interval: ${percent(row.low)} to ${percent(row.high)}`;
  return h("span", { class: `interval ${stageClass(metric)}`, title: text }, bar, line, h("span", { class: "sr-only" }, text));
}

export function rankingData(what: string, rows: readonly Ranked[], code: string, completed: boolean): Table {
  return {
    columns: [
      { label: what },
      { label: code },
      { label: completed ? "Share of completed handshakes" : "Share", as: "percent" },
      { label: "Low", as: "percent" },
      { label: "High", as: "percent" },
      { label: "Sampled", as: "count" },
      { label: completed ? "Share of all" : "Share of completed handshakes", as: "percent" },
      { label: completed ? "All sampled" : "Completed handshakes sampled", as: "count" },
    ],
    rows: rows.map((row) => [row.name, row.code, row.share, row.low, row.high, row.sampled, row.beside?.share ?? null, row.beside?.sampled ?? null]),
  };
}
