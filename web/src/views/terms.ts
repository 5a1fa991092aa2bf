// A list of terms with their shares over time; one opens with its text.

import { type Answer, column, type Groups, total } from "../api/answers";
import type { App } from "../app";
import { lineChart, sparkline } from "../charts/lines";
import { h } from "../ui/dom";
import { CAVEAT } from "../ui/causes";
import { type Filter, isoMinute } from "../state/url";
import { stateLink, termLink } from "../ui/controls";
import { filtered, filterLink } from "../ui/filters";
import { figure } from "../ui/figure";
import { tabled } from "../ui/table";
import { count, percent } from "../ui/format";
import { isEmpty, provenance, stepName } from "./series";

export interface Term {
  key: string;
  name: string;
  /** Its name in the answer. */
  group: string;
  note: string;
  class: string;
  /** How many terms stand above it. */
  depth: number;
  about: string;
  causes: readonly string[];
  /** The filter that leaves its connections only. */
  filter: readonly [Filter, string];
}

export interface TermsSpec {
  key: string;
  title: string;
  sub: string;
  answer: Answer;
  terms: readonly Term[];
  /** Those with most connections first; else in their own order. */
  byShare: boolean;
}

interface Row extends Term {
  share: number;
  sampled: number;
}

function rowsOf({ terms, byShare }: TermsSpec, groups: Groups): Row[] {
  const whole = total(groups.weight);
  const rows = terms.map((term) => {
    const own = column(groups, term.group);
    return { ...term, share: whole ? (100 * total(own.weight)) / whole : 0, sampled: total(own.sampled) };
  });
  return byShare ? rows.sort((a, b) => b.share - a.share) : rows;
}

export function termFigure(app: App, spec: TermsSpec): HTMLElement {
  const { answer } = spec;
  const [groups] = answer.series;
  if (!groups || isEmpty(groups)) return h("div");
  const rows = rowsOf(spec, groups);
  const seen = rows.filter((row) => row.sampled > 0);
  const unseen = rows.filter((row) => row.sampled === 0);
  const most = Math.max(0.01, ...seen.map((row) => row.share));
  const body = h(
    "ul",
    { class: "terms" },
    ...seen.map((row) => item(app, spec, groups, row, most)),
  );
  const heads = h("div", { class: "term-heads", "aria-hidden": "true" }, ...["Name", "", "Share", "Sampled", "Trend, own scale"].map((name) => h("span", {}, name)));
  return figure({
    store: app.store,
    key: spec.key,
    title: spec.title,
    sub: spec.sub,
    body: h("div", {}, heads, body),
    table: () => ({
      columns: [{ label: spec.title }, { label: "Share", as: "percent" }, { label: "Sampled", as: "count" }, { label: "What was seen" }, { label: "Name in data" }],
      rows: rows.map((row) => [row.name, row.share, row.sampled, row.about, row.group]),
    }),
    source: provenance(spec.title, app.state, answer),
    below: unseen.length ? h("p", { class: "unseen muted" }, `Not seen in this selection: ${unseen.map((row) => row.name).join(" · ")}`) : null,
  });
}

function item({ store, state }: App, spec: TermsSpec, groups: Groups, row: Row, most: number): HTMLElement {
  const open = state.term === row.key;
  const range = spec.answer.ranges[0] ?? [0, 0];
  const values = column(groups, row.group).share;
  const bar = h("span", { class: "meter-bar" });
  bar.style.width = `${(100 * row.share) / most}%`;
  const button = h(
    "button",
    { type: "button", class: "term", "aria-expanded": String(open), "data-key": `term:${row.key}`, onclick: () => store.go({ term: open ? "" : row.key }, true) },
    h("span", { class: `term-name depth-${row.depth}` }, h("span", { class: `swatch ${row.class}` }), row.name),
    h("span", { class: `meter ${row.class}`, "aria-hidden": "true" }, bar),
    h("span", { class: "number" }, percent(row.share)),
    h("span", { class: "number muted sampled", title: "Connections sampled" }, count(row.sampled)),
    sparkline({ label: "Share over time", times: groups.times, values, range, step: spec.answer.step, class: row.class, unit: "share" }),
  );
  return h("li", {}, button, open ? detail({ store, state }, spec, groups, row, values, range) : null);
}

function detail(app: App, spec: TermsSpec, groups: Groups, row: Row, values: readonly number[], range: readonly [number, number]): HTMLElement {
  return h(
    "div",
    { class: "term-detail" },
    h(
      "div",
      {},
      h("p", { class: "muted" }, row.note),
      h("p", {}, row.about),
      h("p", {}, termLink(app.store, row.key, "Definition"), " · ", filterLink(app, row.filter[0], row.filter[1], "Show only these connections", row.key), " · ", stateLink(app.store, { view: "connections", ...filtered(app.state, row.filter[0], row.filter[1]) }, { key: `connections:${row.key}` }, "List these connections")),
      row.causes.length ? h("h3", {}, "What is known to cause it") : null,
      row.causes.length ? h("ul", {}, ...row.causes.map((cause) => h("li", {}, cause))) : null,
      row.causes.length ? h("p", { class: "muted" }, CAVEAT) : null,
    ),
    h(
      "div",
      {},
      h("h3", {}, `Share of connections per ${stepName(spec.answer.step)}`),
      lineChart({ label: `${row.name}: share over time`, range, step: spec.answer.step, unit: "share", height: 190, lines: [{ label: row.name, class: row.class, times: groups.times, values, sampled: groups.sampled }] }),
      tabled(
        `${row.name}, per ${stepName(spec.answer.step)}`,
        () => ({ columns: [{ label: "Time (UTC)" }, { label: "Share", as: "percent" }, { label: "Sampled", as: "count" }], rows: groups.times.map((time, at) => [isoMinute(time), values[at] ?? null, column(groups, row.group).sampled[at] ?? null]) }),
      ),
    ),
  );
}
