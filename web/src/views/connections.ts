// The single connections behind the numbers, where the operator allows it.

import * as radar from "../api/radar";
import { ApiError } from "../api/client";
import type { Connection, Status, Terms } from "../api/wire";
import { type App, selected, shortName, switches, terms } from "../app";
import { FILTERS, lengthOf, type State } from "../state/url";
import { stageClass, STAGES, title, type Stage } from "../state/stage";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { nothing } from "../ui/empty";
import type { Provenance } from "../ui/download";
import { figure } from "../ui/figure";
import { count, dayMonth, duration, moment, range } from "../ui/format";
import type { Cell, Table } from "../ui/table";
import { PROTECTED, protectedNote } from "./protected";
import { knownRungs, ladder, ladderBox, tracedRungs } from "./ladder";

const PER_PAGE = 50;
const MOST_DAYS = 31;
const QUARTER = 900_000;

export async function render(app: App): Promise<Child[]> {
  const { state } = app;
  const status = await radar.status();
  if (!status.connectionsAllowed) return [notAllowed()];
  if (lengthOf(state.range) > MOST_DAYS * 86_400_000) return [tooLong(app)];
  const filters = FILTERS.filter((key) => state.filters[key]).map((key) => [key, state.filters[key] ?? ""] as const);
  const texts = await terms();
  const servers = status.nodes.map(({ name }) => name);
  try {
    const found = await radar.connections({ ...selected(state), only: {} }, filters, state.page * PER_PAGE, PER_PAGE);
    const { connections } = found;
    const list = connections.length ? table(app, status, connections, texts) : await none(app);
    const notes = [state.unanswered ? unansweredNote(state.filters) : null, protectedNote(connections.map(({ addresses }) => addresses))];
    return [filterForm(app, texts, servers), ...notes, list, pager(app, connections.length, found.paging.more)];
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 400) throw error;
    return [filterForm(app, texts, servers), h("p", { class: "problem", role: "alert" }, error.message)];
  }
}

const notAllowed = (): HTMLElement =>
  h(
    "div",
    { class: "empty" },
    h("h2", {}, "Single connections are not shown here"),
    h("p", {}, "They show addresses of clients, so the operator of this server has to allow it. In the settings file:"),
    h("pre", {}, "connections = true"),
  );

/** What the switch does to a list. */
const unansweredNote = (filters: State["filters"]): HTMLElement =>
  h(
    "p",
    { class: "muted" },
    radar.isCutShort(filters)
      ? "Shown are connections that were cut short, resets only before any answer: those that are counted as cut short with this switch on."
      : "“Resets before any answer only” leaves these connections as they are: none of them was reset.",
  );

const tooLong = ({ store }: App): HTMLElement =>
  h("div", { class: "empty" }, h("h2", {}, "The time is too long"), h("p", {}, `Single connections are shown for at most ${MOST_DAYS} days at once.`), h("p", {}, stateLink(store, { range: { kind: "last", span: "7d" } }, { key: "shorter" }, "Show the last 7 days")));

async function none(app: App): Promise<HTMLElement> {
  if (Object.keys(app.state.filters).length === 0) return nothing(app, rangeNow(app));
  return h("div", { class: "empty" }, h("h2", {}, "No connection fits"), h("p", {}, "None of the selection has all that is asked for."), h("p", {}, stateLink(app.store, { filters: {}, page: 0 }, { key: "no-filters" }, "Take the filters away")));
}

/** Relative times end with the last quarter of an hour that is over. */
function rangeNow({ state }: App): [number, number] {
  if (state.range.kind === "fixed") return [state.range.from, state.range.to];
  const now = Math.floor(Date.now() / QUARTER) * QUARTER;
  return [now - lengthOf(state.range), now];
}

function filterForm({ store, state }: App, texts: Terms, servers: readonly string[]): HTMLElement {
  const choice = (key: string, label: string, options: readonly (readonly [string, string])[]): HTMLElement => {
    const select = h("select", { name: key, "data-key": `filter:${key}` }, h("option", { value: "" }, "all"), ...options.map(([value, text]) => h("option", { value, selected: state.filters[key] === value }, text)));
    return h("label", {}, label, select);
  };
  const field = (key: string, label: string, placeholder: string): HTMLElement =>
    h("label", {}, label, h("input", { name: key, value: state.filters[key] ?? "", placeholder, "data-key": `filter:${key}`, autocomplete: "off" }));
  const form = h(
    "form",
    { class: "filters", "aria-label": "Filters" },
    choice("stage", "Stage", STAGES.map((stage) => [stage, title(stage)])),
    choice("termination", "Ended by", texts.terminations.map(({ name }) => [name, name])),
    choice("signature", "Signature", texts.signatures.map(({ id, name }) => [String(id), name])),
    choice("tag", "Tag", texts.tags.map(({ name }) => [name, name])),
    servers.length > 1 || state.filters["node"] ? choice("node", "Server", servers.map((name) => [name, name])) : null,
    field("port", "Port", "443"),
    field("client", "Client", "198.51.100.0/24"),
    h("button", { class: "button", "data-key": "filter" }, "Apply"),
  );
  const apply = (): void => {
    const data = new FormData(form);
    const filters = Object.fromEntries(FILTERS.map((key) => [key, String(data.get(key) ?? "").trim()] as const).filter(([, value]) => value));
    store.go({ filters, page: 0 });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  form.addEventListener("change", (event) => event.target instanceof HTMLSelectElement && apply());
  return form;
}

const COLUMNS = ["Time (UTC)", "Stage", "Signature", "From", "Client", "To", "Packets"];

function table(app: App, status: Status, connections: readonly Connection[], texts: Terms): HTMLElement {
  const rows = connections.flatMap((one, at) => lines(one, at, texts));
  const head = h("tr", {}, ...COLUMNS.map((text, at) => h("th", { scope: "col", class: at === 6 ? "number" : null }, text)));
  return figure({
    key: "connections",
    title: "Connections, the latest 15 minutes first",
    body: h("div", { class: "table-scroll tall", tabindex: 0, role: "region", "aria-label": "Connections" }, h("table", { class: "data connections" }, h("thead", {}, head), h("tbody", {}, ...rows))),
    tabular: true,
    formats: ["csv", "json"],
    table: () => listed(connections),
    source: sourceOf(app, status),
  });
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
const second = (time: number): string => `${dayMonth(time)}, ${new Date(time).toISOString().slice(11, 19)}`;

const socket = (ip: string, port: number): string => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;

/** Breaks, if it must, between the parts of an IPv6 address and before the port. */
const endpoint = (ip: string, port: number): HTMLElement =>
  h("code", {}, ...socket(ip, port).split(/(?<=:)(?=.*\])|(?=:\d+$)/).flatMap((part, at) => (at ? [h("wbr"), part] : [part])));

/** That the address is not the real one. */
const mark = ({ addresses }: Connection): HTMLElement | null => (addresses ? h("span", { class: "mark-protected", title: `Addresses were ${PROTECTED[addresses] ?? addresses}` }, addresses) : null);

function lines(one: Connection, at: number, texts: Terms): HTMLElement[] {
  const stage = stageOf(one, texts);
  const detail = h("tr", { hidden: true, id: `connection-${at}` });
  const button = h("button", { type: "button", class: "plain-button", "aria-expanded": "false", "aria-controls": detail.id, "data-key": `connection:${at}` }, second(one.first_us / 1000));
  button.addEventListener("click", () => {
    detail.hidden = !detail.hidden;
    button.setAttribute("aria-expanded", String(!detail.hidden));
    if (!detail.hidden && !detail.firstChild) detail.append(h("td", { colspan: COLUMNS.length }, explained(one, stage, texts)));
  });
  const network = one.asn === null ? "" : `${one.as_name ?? ""} AS${one.asn}`.trim();
  const row = h(
    "tr",
    {},
    h("th", { scope: "row" }, button),
    h("td", { class: "nowrap" }, h("span", { class: `swatch ${stageClass(stage)}` }), ` ${title(stage)}`),
    h("td", { class: "nowrap" }, one.signature ?? h("span", { class: "muted" }, one.termination)),
    h("td", { class: "from" }, one.location ?? "unknown", network ? h("span", { class: "muted" }, ` ${network}`) : null),
    h("td", {}, endpoint(one.src_ip, one.src_port), mark(one)),
    h("td", {}, endpoint(one.dst_ip, one.dst_port), one.node ? h("span", { class: "muted" }, ` ${one.node}`) : null),
    h("td", { class: "number" }, count(one.packets)),
  );
  return [row, detail];
}

const KEPT = "The client's packets that were taken";
const GONE = "Its packets are not kept any more: this is what the verdict rests on";

const without = (error: unknown): string =>
  error instanceof ApiError && error.status !== 404 ? `Its packets cannot be shown: ${error.message}. This is what the verdict rests on` : GONE;

/** Verdict and reason of one connection: from its packets, or from the terms where these are gone. */
function explained(one: Connection, stage: Stage, texts: Terms): HTMLElement {
  const place = h("div", { class: "explained" }, h("p", { class: "muted" }, "…"));
  const show = (box: HTMLElement, why: HTMLElement): void => place.replaceChildren(box, why, facts(one));
  radar.trace(one).then(
    (traced) => show(ladderBox(ladder(tracedRungs(one, traced), stage), KEPT), h("div", {}, h("h3", {}, "Why it is judged so"), ...traced.reasons.map((reason) => h("p", {}, reason)), tags(one, texts))),
    (error: unknown) => show(ladderBox(ladder(knownRungs(one, stage), stage), without(error)), byTerms(one, stage, texts)),
  );
  return place;
}

const definitions = (pairs: readonly (readonly [string, Child])[], kind?: string): HTMLElement =>
  h("dl", { class: kind }, ...pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

const tags = (one: Connection, texts: Terms): HTMLElement => definitions(one.tags.map((tag) => [tag, texts.tags.find(({ name }) => name === tag)?.about ?? ""]));

function byTerms(one: Connection, stage: Stage, texts: Terms): HTMLElement {
  const signature = texts.signatures.find(({ id }) => id === one.signature_id);
  const termination = texts.terminations.find(({ name }) => name === one.termination);
  const reasons: [string, string | undefined][] = [
    [title(stage), texts.stages.find(({ name }) => name === stage)?.about],
    ...(one.tags.includes(one.termination) ? [] : ([[one.termination, termination?.about]] as [string, string | undefined][])),
    [signature?.name ?? "", signature?.about],
  ];
  return h("div", {}, h("h3", {}, "Why it is judged so"), definitions(reasons.filter(([, about]) => about)), tags(one, texts));
}

function facts(one: Connection): HTMLElement {
  const pairs: [string, string][] = [
    ["Seen", `${moment(one.first_us / 1000)} UTC, ${duration((one.last_us - one.first_us) / 1000)} long, then ${duration(one.silent_us / 1000)} of silence`],
    ["Stands for", one.sample_rate === 1 ? "itself" : `${count(one.sample_rate)} connections`],
  ];
  pairs.push(["From", [one.location ?? "unknown", one.as_name, one.asn === null ? null : `AS${one.asn}`].filter(Boolean).join(" ")]);
  pairs.push(["Client", socket(one.src_ip, one.src_port)], ["Server", `${socket(one.dst_ip, one.dst_port)}${one.node ? `, ${one.node}` : ""}`]);
  if (one.addresses) pairs.push(["Addresses", `not the real ones: ${PROTECTED[one.addresses] ?? one.addresses}`]);
  if (one.rst_ttl_delta !== null) pairs.push(["RST's TTL less the SYN's", String(one.rst_ttl_delta)]);
  if (one.rst_ip_id_delta !== null) pairs.push(["RST's distance in IP id", count(one.rst_ip_id_delta)]);
  return definitions(pairs, "facts");
}

function pager({ store, state }: App, shown: number, more: boolean): HTMLElement | null {
  if (state.page === 0 && !more) return null;
  const from = state.page * PER_PAGE;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    state.page > 0 ? stateLink(store, { page: state.page - 1 }, { class: "button", key: "newer" }, "Later ones") : null,
    h("span", { class: "muted" }, `${from + 1} to ${from + shown}, ${shortName(state.place)}`),
    more ? stateLink(store, { page: state.page + 1 }, { class: "button", key: "older" }, "Earlier ones") : null,
  );
}
