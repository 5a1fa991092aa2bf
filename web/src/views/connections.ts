// The single connections behind the numbers, where the operator allows it.

import * as radar from "../api/radar";
import { ApiError } from "../api/client";
import type { Connection, Status, Terms, TracedDatagrams } from "../api/wire";
import { type App, selected, shortName, switches, terms } from "../app";
import type { Place } from "../state/place";
import { type Filter, FILTERS, lengthOf, type State } from "../state/url";
import { stageClass, STAGES, title, type Stage } from "../state/stage";
import type { Store } from "../state/store";
import { stateLink, termLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { nothing } from "../ui/empty";
import { NUMBERS, type Provenance } from "../ui/download";
import { figure } from "../ui/figure";
import { filterLink } from "../ui/filters";
import { clockSeconds, count, dayMonth, duration, moment, range } from "../ui/format";
import { type Cell, dataTable, stackedRow, stackedTable, type StackedHead, type Table } from "../ui/table";
import { PROTECTED, protectedNote } from "./protected";
import { knownRungs, ladder, ladderBox, tracedRungs } from "./ladder";
import { zoneName } from "../ui/zone";

const PER_PAGE = 50;
const { ALL_STAGES } = radar;
const MOST_DAYS = 31;
const QUARTER = 900_000;

export async function render(app: App): Promise<Child[]> {
  const { state } = app;
  const status = await radar.status();
  if (!status.connectionsAllowed) return [notAllowed()];
  if (lengthOf(state.range) > MOST_DAYS * 86_400_000 && ((await radar.status()).windows.done > MOST_DAYS * 96)) return [tooLong(app)];
  const texts = await terms();
  const asked = { ...selected(state), only: {} };
  const page: radar.Part = { offset: state.page * PER_PAGE, limit: PER_PAGE, ...orderOf(state.sort) };
  try {
    const { connections, paging } = await radar.connections(asked, state.filters, page);
    const list = connections.length ? table(app, status, connections, texts, () => radar.connectionsFile(asked, state.filters, page)) : await none(app);
    const notes = [state.unanswered ? unansweredNote(state.filters) : null, protectedNote(connections.map(({ addresses }) => addresses))];
    return [filterForm(app, texts), ...notes, list, pager(app, connections.length, paging.more)];
  } catch (error) {
    if (!(error instanceof ApiError) || !REFUSED.includes(error.status)) throw error;
    const newest = error.status === 422 ? h("p", {}, stateLink(app.store, { sort: "", page: 0 }, { key: "newest-first" }, "Show the newest first")) : null;
    return [filterForm(app, texts), h("p", { class: "problem", role: "alert" }, error.message), newest];
  }
}

/** The server's answers to filters that are wrong, and to orders that would cost too much. */
const REFUSED = [400, 422];

interface Column {
  key: string;
  label: string;
  /** What the API calls it. */
  order: radar.Part["order"];
}

const COLUMNS: readonly Column[] = [
  { key: "time", label: "Time", order: "time" },
  { key: "stage", label: "Stage", order: "stage" },
  { key: "signature", label: "Signature", order: "signature" },
  { key: "from", label: "From", order: "location" },
  { key: "client", label: "Client", order: "client" },
  { key: "server", label: "To", order: "server" },
  { key: "packets", label: "Packets", order: "packets" },
];
const NEWEST = "-time";
const CLASSES: Readonly<Record<string, string>> = { stage: "nowrap stage", signature: "nowrap signature", from: "from", packets: "number" };

/** The order that an address asks for: the newest first if it asks for none. */
export function orderOf(sort: string): Pick<radar.Part, "order" | "direction"> {
  const column = COLUMNS.find(({ key }) => key === sort.replace(/^-/, ""));
  return { order: column?.order ?? "time", direction: column && !sort.startsWith("-") ? "asc" : "desc" };
}

const notAllowed = (): HTMLElement =>
  h(
    "div",
    { class: "empty" },
    h("h2", {}, "Single connections are not shown here"),
    h("p", {}, "They show addresses of clients, so the operator of this server has to allow it. Start it with this in its environment, or with connections = true in its settings file:"),
    h("pre", {}, "CUTSHORT_CONNECTIONS=true cutshort serve ..."),
  );

/** What the switch does to a list. */
const unansweredNote = (filters: State["filters"]): HTMLElement =>
  h(
    "p",
    { class: "muted" },
    radar.isCutShort(filters)
      ? "These connections were cut short, by resets only before any answer: those that count as cut short with this switch on."
      : "“Only resets before the first response” leaves these connections as they are: none of them was reset.",
  );

const tooLong = ({ store }: App): HTMLElement =>
  h("div", { class: "empty" }, h("h2", {}, "The time range is too long"), h("p", {}, `Single connections are shown for at most ${MOST_DAYS} days.`), h("p", {}, stateLink(store, { range: { kind: "last", span: "7d" } }, { key: "shorter" }, "Show the last 7 days")));

async function none(app: App): Promise<HTMLElement> {
  if (Object.keys(app.state.filters).length === 0) {
    const any = await radar.connections({ ...selected(app.state), only: {} }, { stage: ALL_STAGES }, { offset: 0, limit: 1, ...orderOf("") });
    if (any.connections.length === 0) return nothing(app, rangeNow(app));
    return h("div", { class: "empty" }, h("h2", {}, "No connection was cut short"), h("p", {}, stateLink(app.store, { filters: { stage: ALL_STAGES }, page: 0 }, { key: "all-stages" }, "Show all connections")));
  }
  return h("div", { class: "empty" }, h("h2", {}, "No matching connections"), h("p", {}, "No connection of this selection passes all filters."), h("p", {}, stateLink(app.store, { filters: {}, page: 0 }, { key: "no-filters" }, "Remove the filters")));
}

/** Relative times end with the last quarter of an hour that is over. */
function rangeNow({ state }: App): [number, number] {
  if (state.range.kind === "fixed") return [state.range.from, state.range.to];
  const now = Math.floor(Date.now() / QUARTER) * QUARTER;
  return [now - lengthOf(state.range), now];
}

function filterForm({ store, state }: App, texts: Terms): HTMLElement {
  const choice = (key: string, label: string, usual: string, options: readonly (readonly [string, string])[]): HTMLElement => {
    const select = h("select", { name: key, "data-key": `filter:${key}` }, h("option", { value: "" }, usual), ...options.map(([value, text]) => h("option", { value, selected: state.filters[key] === value }, text)));
    return h("label", {}, label, select);
  };
  const field = (key: string, label: string, placeholder: string): HTMLElement =>
    h("label", {}, label, h("input", { name: key, value: state.filters[key] ?? "", placeholder, "data-key": `filter:${key}`, autocomplete: "off" }));
  const form = h(
    "form",
    { class: "filters", "aria-label": "Filters" },
    choice("stage", "Stage", "cut short (any stage)", [[ALL_STAGES, "all"], ...STAGES.map((stage): [string, string] => [stage, title(stage)])]),
    choice("termination", "Ended by", "all", texts.terminations.map(({ name, title }) => [name, title])),
    field("client", "Client", "198.51.100.0/24"),
    h("button", { class: "button", "data-key": "filter" }, "Apply"),
  );
  const apply = (): void => {
    const data = new FormData(form);
    const own = Object.fromEntries(OWN_FILTERS.map((key) => [key, String(data.get(key) ?? "").trim()] as const));
    store.go({ filters: Object.fromEntries(Object.entries({ ...state.filters, ...own }).filter(([, value]) => value)), page: 0 });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  form.addEventListener("change", (event) => event.target instanceof HTMLSelectElement && apply());
  return form;
}

/** What only this view can be restricted to. */
const OWN_FILTERS = ["stage", "termination", "client"] as const;

function heads({ store, state }: App): StackedHead[] {
  const sort = state.sort || NEWEST;
  return COLUMNS.map(({ key, label }) => {
    const [rising, falling] = [sort === key, sort === `-${key}`];
    const first = key === "time" || key === "packets" ? `-${key}` : key;
    const next = sort !== first ? first : first === key ? `-${key}` : key;
    const arrow = h("span", { class: "arrow", "aria-hidden": "true" }, rising ? "↑" : falling ? "↓" : "");
    const button = h("button", { type: "button", "data-key": `sort:${key}`, onclick: () => store.go({ sort: next === NEWEST ? "" : next, page: 0 }, true) }, key === "time" ? `${label} (${zoneName()})` : label, arrow);
    return { label, class: CLASSES[key] ?? "", content: button, sort: rising ? "ascending" : falling ? "descending" : null };
  });
}

function table(app: App, status: Status, connections: readonly Connection[], texts: Terms, parquet: () => Promise<Blob>): HTMLElement {
  const columns = heads(app);
  const rows = connections.flatMap((one, at) => lines(app, columns, one, at, texts));
  return figure({
    store: app.store,
    key: "connections",
    title: headingOf(app.state),
    sub: "Columns sort all connections of this period, not only this page. Files have this page.",
    body: h("div", { class: "table-scroll tall sortable", tabindex: 0, role: "region", "aria-label": "Connections" }, stackedTable("connections", "Connections", columns, rows)),
    tabular: true,
    formats: NUMBERS,
    table: () => listed(connections),
    parquet,
    source: sourceOf(app, status),
  });
}

function headingOf({ filters, sort }: State): string {
  const what = filters["stage"] === undefined && radar.isCutShort(filters) ? "Connections cut short" : "Connections";
  const { order, direction } = orderOf(sort);
  return order === "time" ? `${what}, ${direction === "desc" ? "newest" : "oldest"} first` : what;
}

/** What is listed, by the names of the exports. */
function listed(connections: readonly Connection[]): Table {
  const names = [...new Set(connections.flatMap((one) => Object.keys(one)))];
  const cell = (value: unknown): Cell => (Array.isArray(value) ? value.join(" ") : typeof value === "number" || typeof value === "string" ? value : null);
  return { columns: names.map((label) => ({ label })), rows: connections.map((one) => names.map((name) => cell(one[name as keyof Connection]))) };
}

function sourceOf(app: App, status: Status): Provenance {
  const [from, to] = rangeNow(app);
  return { title: "Connections", selection: shortName(app.state.place), period: range(from, to), from, to, switches: switches(app.state, FILTERS), simulated: status.simulated };
}

function stageOf(one: Connection, texts: Terms): Stage {
  const name = texts.stages.find((stage) => stage.dataName === one.stage)?.name;
  return STAGES.find((stage) => stage === name) ?? "no_match";
}

/** `22 Nov, 01:29:31`. */
const second = (time: number): string => `${dayMonth(time)}, ${clockSeconds(time)}`;

const socket = (ip: string, port: number): string => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;

/** Breaks, if it must, between the parts of an IPv6 address and before the port. */
const endpoint = (ip: string, port: number): HTMLElement =>
  h("code", {}, ...socket(ip, port).split(/(?<=:)(?=.*\])|(?=:\d+$)/).flatMap((part, at) => (at ? [h("wbr"), part] : [part])));

/** That the address is not the real one. */
const mark = ({ addresses }: Connection): HTMLElement | null => (addresses ? h("span", { class: "mark-protected", title: `Addresses were ${PROTECTED[addresses] ?? addresses}` }, addresses) : null);

/** Identifies a connection in an address: when it began, and the client's port. */
const rowKey = (one: Connection): string => `${one.first_us}.${one.src_port}`;

function lines(app: App, columns: readonly StackedHead[], one: Connection, at: number, texts: Terms): HTMLElement[] {
  const stage = stageOf(one, texts);
  const key = rowKey(one);
  const detail = h("tr", { hidden: true, id: `connection-${at}`, role: "row", class: "detail" });
  const button = h("button", { type: "button", class: "plain-button", "aria-expanded": "false", "aria-controls": detail.id, "data-key": `connection:${at}` }, second(one.first_us / 1000));
  const toggle = (): void => {
    detail.hidden = !detail.hidden;
    button.setAttribute("aria-expanded", String(!detail.hidden));
    if (!detail.hidden && !detail.firstChild) detail.append(h("td", { colspan: COLUMNS.length, role: "cell" }, explained(app, one, stage, texts)));
  };
  if (app.state.open.includes(key)) toggle();
  button.addEventListener("click", () => {
    toggle();
    app.store.keepOpen(key, !detail.hidden);
  });
  const only = (key: Filter, value: string, label: Child): HTMLElement => filterLink(app, key, value, label, String(at));
  const row = stackedRow(
    columns,
    [button],
    [h("span", { class: `swatch ${stageClass(stage)}` }), " ", only("stage", stage, title(stage))],
    [one.signature && one.signature_id ? only("signature", String(one.signature_id), one.signature) : h("span", { class: "muted", title: "No signature matches" }, "none, ", only("termination", one.termination, titleOf(texts.terminations, one.termination)))],
    fromLinks(app, one, at),
    [only("client", one.src_ip, endpoint(one.src_ip, one.src_port)), mark(one)],
    [only("port", String(one.dst_port), endpoint(one.dst_ip, one.dst_port)), one.node ? h("span", { class: "muted" }, " ", only("node", one.node, one.node)) : null],
    [count(one.packets)],
  );
  return [row, detail];
}

/** Country and network, which lead to what they sent. */
function fromLinks({ store }: App, one: Connection, at: number | string): Child[] {
  const link = (place: Place, key: string, text: string): HTMLElement => stateLink(store, { place, page: 0 }, { key: `only:${key}:${at}`, class: "only", title: `Only ${text}` }, text);
  const country = one.location ? link({ kind: "location", code: one.location }, "location", one.location) : "unknown";
  return [country, one.asn === null ? null : h("span", { class: "muted" }, " ", link({ kind: "asn", number: one.asn }, "asn", `${one.as_name ?? ""} AS${one.asn}`.trim()))];
}

const KEPT = { tcp: "Captured client packets", origin: "Captured packets, in both directions", quic: "Captured datagrams" } as const;
const GONE = "Packets have expired; this is the evidence kept";

const without = (error: unknown): string =>
  error instanceof ApiError && error.status !== 404 ? `Packets cannot be shown: ${error.message}. This is the evidence kept` : GONE;

/** Verdict and reason of one connection: from its packets, or from the terms where these are gone. */
function explained(app: App, one: Connection, stage: Stage, texts: Terms): HTMLElement {
  const place = h("div", { class: "explained" }, h("p", { class: "muted" }, "…"));
  const show = (box: HTMLElement, why: HTMLElement): void => place.replaceChildren(box, why, facts(app, one));
  if (app.state.dataSet === "quic") {
    radar.datagrams(one).then(
      ({ datagrams, reasons }) => show(datagramTable(datagrams), why(app, one, reasons, texts)),
      (error: unknown) => show(h("p", { class: "muted" }, `${without(error)}.`), byTerms(app, one, stage, texts)),
    );
    return place;
  }
  radar.trace(one).then(
    (traced) => show(ladderBox(ladder(tracedRungs(one, traced), stage), KEPT[app.state.dataSet]), why(app, one, traced.reasons, texts, traced.syn ? h("p", { class: "muted", title: "IP version, TTL and distance, IP options, MSS, window and scale, TCP options, quirks, payload" }, "The SYN as p0f writes it: ", h("code", {}, traced.syn)) : null)),
    (error: unknown) => show(ladderBox(ladder(knownRungs(one, stage), stage), without(error)), byTerms(app, one, stage, texts)),
  );
  return place;
}

function why(app: App, one: Connection, reasons: readonly string[], texts: Terms, more: Child = null): HTMLElement {
  return h("div", {}, h("h3", {}, "Why this verdict"), ...reasons.map((reason) => h("p", {}, ...withRules(app.store, reason))), tags(app.store, one, texts), more);
}

/** What was kept of a QUIC connection. */
function datagramTable(datagrams: TracedDatagrams["datagrams"]): HTMLElement {
  const columns = [{ label: "Seconds" }, { label: "From" }, { label: "Packets" }, { label: "Version" }, { label: "Bytes", as: "count" }] as const;
  const rows = datagrams.map((one) => [one.seconds.toFixed(3), one.isReceived ? "server" : "client", one.meaning, one.version ?? "", one.len]);
  return h("div", { class: "datagrams" }, dataTable(KEPT.quic, { columns, rows }));
}

/** A reason, whose rule's number leads to the rules. */
const withRules = (store: Store, reason: string): Child[] => reason.split(/(rule \d+)/).map((part, at) => (at % 2 ? termLink(store, "rules", part) : part));

const definitions = (pairs: readonly (readonly [Child, Child])[], kind?: string): HTMLElement =>
  h("dl", { class: kind }, ...pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

/** What people call a term. */
const titleOf = (all: readonly { name: string; title: string }[], term: string): string => all.find(({ name }) => name === term)?.title ?? term;

const tags = (store: Store, one: Connection, texts: Terms): HTMLElement =>
  definitions(one.tags.map((tag) => [termLink(store, `tag-${tag}`, titleOf(texts.tags, tag)), texts.tags.find(({ name }) => name === tag)?.about ?? ""]));

function byTerms(app: App, one: Connection, stage: Stage, texts: Terms): HTMLElement {
  const signature = texts.signatures.find(({ id }) => id === one.signature_id);
  const termination = texts.terminations.find(({ name }) => name === one.termination);
  const reasons: [string, string | undefined][] = [
    [title(stage), texts.stages.find(({ name }) => name === stage)?.about],
    ...(one.tags.includes(one.termination) ? [] : ([[termination?.title ?? one.termination, termination?.about]] as [string, string | undefined][])),
    [signature?.name ?? "", signature?.about],
  ];
  return h("div", {}, h("h3", {}, "Why this verdict"), definitions(reasons.filter(([, about]) => about)), tags(app.store, one, texts));
}

function facts(app: App, one: Connection): HTMLElement {
  const only = (key: Filter, value: string, label: string): HTMLElement => filterLink(app, key, value, label, "facts");
  const pairs: [string, Child][] = [
    ["Seen", `${moment(one.first_us / 1000)} ${zoneName()}, ${duration((one.last_us - one.first_us) / 1000)} long, then ${duration(one.silent_us / 1000)} of silence`],
    ["Represents", one.sample_rate === 1 ? "itself (all connections were recorded)" : `${count(one.sample_rate)} connections (sampled 1 in ${count(one.sample_rate)})`],
  ];
  pairs.push(["From", h("span", {}, ...fromLinks(app, one, "facts"))]);
  pairs.push(["Client", only("client", one.src_ip, socket(one.src_ip, one.src_port))]);
  pairs.push(["Server", h("span", {}, only("port", String(one.dst_port), socket(one.dst_ip, one.dst_port)), one.node ? ", " : null, one.node ? only("node", one.node, one.node) : null)]);
  if (one.addresses) pairs.push(["Addresses", `not the real ones: ${PROTECTED[one.addresses] ?? one.addresses}`]);
  if (one.rst_ttl_delta != null) pairs.push(["TTL difference, RST − SYN", String(one.rst_ttl_delta)]);
  if (one.rst_ip_id_delta != null) pairs.push(["IP ID difference, RST − previous packet", count(one.rst_ip_id_delta)]);
  return definitions(pairs, "facts");
}

function pager({ store, state }: App, shown: number, more: boolean): HTMLElement | null {
  if (state.page === 0 && !more) return null;
  const from = state.page * PER_PAGE;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    state.page > 0 ? stateLink(store, { page: state.page - 1 }, { class: "button", key: "newer" }, "Newer") : null,
    h("span", { class: "muted" }, `${from + 1} to ${from + shown}, ${shortName(state.place)}`),
    more ? stateLink(store, { page: state.page + 1 }, { class: "button", key: "older" }, "Older") : null,
  );
}
