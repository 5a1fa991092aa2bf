// Servers to which connections were opened: which refuse, hang, close without an answer, or are slow to accept.

import * as radar from "../api/radar";
import type { Meta, Upstreams } from "../api/wire";
import { type App, selected } from "../app";
import { stateLink } from "../ui/controls";
import { h } from "../ui/dom";
import { figure } from "../ui/figure";
import { clock, count, dayMonth, many, percent } from "../ui/format";
import { stackedRow, stackedTable, type StackedHead, type Table } from "../ui/table";
import { provenance } from "./series";

const MOST = 50;
type Server = Upstreams["servers"][number];

/** Shares by what the server, the path or this side did, with what a proxy may have logged. */
const COLUMNS: readonly [string, string, (server: Server) => string][] = [
  ["Cut short", "Cut short at any stage", ({ cutShort }) => cutShort],
  ["Refused", "The port was closed: a proxy may have logged 502 or 521", ({ refused }) => refused],
  ["Unreachable", "An ICMP error ended it: 502 or 523", ({ unreachable }) => unreachable],
  ["Timeouts", "Nothing more came: 504, 522 or 524", ({ timeouts }) => timeouts],
  ["Gave up", "This side closed without an answer: 504 or 524", ({ gaveUp }) => gaveUp],
  ["Empty", "The server closed without a byte: 520, 'upstream prematurely closed connection'", ({ emptyAnswers }) => emptyAnswers],
];

const milliseconds = (us: number | null | undefined): string => (us == null ? "–" : `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`);

const whereOf = ({ address, port }: Server): string => (port == null ? "all further servers" : address ? (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`) : `port ${port}`);

/** How long after the start of its last window with a success a server is said to have had none since. */
const RECENT = 3_600_000;

const at = (time: number): string => `${dayMonth(time)}, ${clock(time)}`;

/** Since when connections fail, and since when none succeeded. */
function failures({ firstFailure, lastSuccess }: Server, end: number): readonly string[] {
  if (!firstFailure) return ["–"];
  if (!lastSuccess) return [at(Date.parse(firstFailure)), "no success"];
  const last = Date.parse(lastSuccess);
  return end - last > RECENT ? [at(Date.parse(firstFailure)), `last success ${at(last)}`] : [at(Date.parse(firstFailure))];
}

const MOST_NODES = 3;

/** The nodes that opened connections, with the shares that were cut short. */
function nodes({ nodes }: Server): string {
  const named = nodes.slice(0, MOST_NODES).map(({ node, cutShort }) => `${node} ${percent(Number(cutShort))}`);
  return nodes.length > MOST_NODES ? `${named.join(", ")}, and ${count(nodes.length - MOST_NODES)} more` : named.join(", ");
}

const nameOf = (server: Server): string => {
  const { name, address, asn, asName } = server;
  return name ?? (address ? whereOf(server) : `${asName ?? (asn == null ? "unknown network" : `AS${asn}`)}, ${whereOf(server)}`);
};

export async function upstreams(app: App): Promise<HTMLElement> {
  const answer = await radar.upstreams(selected(app.state), MOST);
  const { meta, servers } = answer;
  const [range] = meta.dateRange;
  return figure({
    store: app.store,
    key: "upstreams",
    title: "Servers to which connections fail",
    sub: `${count(servers.length)} of ${many(meta.servers, "server")}, by connections cut short or closed without an answer`,
    body: h("div", {}, worst(servers), table(app, servers, Date.parse(range?.endTime ?? "")), meta.protectedAddresses.length ? h("p", { class: "caution" }, `Some addresses were ${meta.protectedAddresses.join(" or ")} before they were kept: servers with the same truncated address are counted together.`) : null, meta.addresses ? null : h("p", { class: "muted" }, "Addresses are not shown here, so servers of one network and port are counted together.")),
    tabular: true,
    table: () => data(servers),
    source: provenance("Servers to which connections fail", app.state, { meta: { ...EMPTY_META, ...meta }, ranges: [[Date.parse(range?.startTime ?? ""), Date.parse(range?.endTime ?? "")]] }),
  });
}

/** What the sources of pictures and files need of an answer, which rankings of servers do not have. */
const EMPTY_META: Pick<Meta, "confidenceInfo" | "normalization" | "units"> = { confidenceInfo: { annotations: [], level: 5 }, normalization: "PERCENTAGE", units: [] };

/** The first server in words. */
function worst(servers: readonly Server[]): HTMLElement | null {
  const [first] = servers;
  if (!first) return null;
  const parts = COLUMNS.slice(1).map(([label, , of]) => [label.toLowerCase(), Number(of(first))] as const).filter(([, share]) => share > 0);
  const most = parts.sort((a, b) => b[1] - a[1])[0];
  if (!most) return h("p", {}, "No server refused, hung or closed without an answer.");
  return h("p", {}, `Most failures are to ${nameOf(first)}, most often “${most[0]}”: ${percent(most[1])} of its connections. In all, ${percent(Number(first.cutShort))} were cut short.`);
}

function table({ store }: App, servers: readonly Server[], end: number): HTMLElement {
  const several = new Set(servers.flatMap(({ nodes }) => nodes.map(({ node }) => node))).size > 1;
  const heads = several ? [...HEADS, NODES] : HEADS;
  const rows = servers.map((server) => {
    const { address, port, asn } = server;
    const change = port == null ? null : address ? { view: "connections" as const, filters: { server: address, port: String(port) }, page: 0 } : asn == null ? null : { view: "overview" as const, place: { kind: "asn" as const, number: asn }, page: 0 };
    const name = nameOf(server);
    const [since, success] = failures(server, end);
    return stackedRow(
      heads,
      [change ? stateLink(store, change, { key: `upstream:${name}` }, name) : name, server.name && address ? h("span", { class: "muted code" }, ` ${whereOf(server)}`) : null],
      ...COLUMNS.map(([, , of]) => [percent(Number(of(server)))]),
      [milliseconds(server.handshakeP50Us)],
      [milliseconds(server.handshakeP95Us)],
      [count(server.connections)],
      [h("span", { class: "nowrap" }, since), success ? h("span", { class: "muted nowrap" }, ` ${success}`) : null],
      ...(several ? [[nodes(server)]] : []),
    );
  });
  const caption = "Servers, with shares of what happened to connections that were opened to them";
  return h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": caption }, stackedTable("upstreams", caption, heads, rows));
}

const HEADS: readonly StackedHead[] = [
  { label: "Server" },
  ...COLUMNS.map(([label, title]) => ({ label, title, class: "number" })),
  { label: "Handshake p50", class: "number", title: "Median time from SYN to SYN+ACK" },
  { label: "p95", class: "number", title: "95th percentile of that time" },
  { label: "Sampled", class: "number" },
  { label: "Failures since", title: "The first 15 minutes of the time shown in which a connection was cut short or closed without an answer; and the last in which one was not, where that is more than an hour ago" },
];

const NODES: StackedHead = { label: "From", title: "The nodes that opened connections to it, with the share that was cut short" };

function data(servers: readonly Server[]): Table {
  return {
    columns: [
      { label: "Server" },
      ...COLUMNS.map(([label]) => ({ label, as: "percent" as const })),
      { label: "Handshake p50 (ms)", as: "text" },
      { label: "Handshake p95 (ms)", as: "text" },
      { label: "Sampled", as: "count" },
      { label: "First failure", as: "text" },
      { label: "Last success", as: "text" },
      { label: "Nodes", as: "text" },
    ],
    rows: servers.map((server) => [
      nameOf(server),
      ...COLUMNS.map(([, , of]) => Number(of(server))),
      server.handshakeP50Us == null ? null : server.handshakeP50Us / 1000,
      server.handshakeP95Us == null ? null : server.handshakeP95Us / 1000,
      server.connections,
      server.firstFailure ?? null,
      server.lastSuccess ?? null,
      nodes(server),
    ]),
  };
}
