// The servers that send packets: how fresh they are, and what of them is lost.

import type { Status } from "../api/wire";
import { type Child, h } from "../ui/dom";
import { count, duration, many, moment, percent } from "../ui/format";
import { stackedRow, stackedTable, type StackedHead } from "../ui/table";
import { zoneName } from "../ui/zone";

type Node = Status["nodes"][number];
type Live = NonNullable<Node["live"]>;

/** The name of imported captures. */
const FILE = "file";
/** A server that lags by more is marked. */
const LATE_S = 900;

export function servers(status: Status): HTMLElement {
  const { nodes, store, simulated } = status;
  const known = nodes.map((node) => row(node, simulated));
  const table = stackedTable("", "Servers", columns(), known);
  const damaged = store.damaged.map(({ name, why }) => h("li", {}, h("code", {}, name), `: ${why}`));
  return h(
    "section",
    { class: "panel servers" },
    h("h2", {}, "Servers"),
    ...inShort(nodes, simulated, hasData(status)).map((text) => h("p", {}, text)),
    nodes.length ? h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "Servers" }, table) : null,
    nodes.some(({ live }) => live) ? h("p", { class: "muted" }, LEGEND) : null,
    damaged.length ? h("div", {}, h("h3", {}, "Set aside because it could not be read"), h("ul", {}, ...damaged)) : null,
  );
}

const columns = (): StackedHead[] => [{ label: "Server" }, { label: `Last packet (${zoneName()})` }, { label: "Delay", class: "number" }, { label: "Lost", class: "number" }, { label: "Queued", class: "number" }];

const LEGEND =
  "Delay: how long ago everything that a server had received was here. Lost, of all packets since the agent started: no room in the kernel, not written, or dropped from the spool. Queued: in the spool, will arrive later.";

/** What will never come. */
export const gone = ({ lost, unwritten, dropped }: Live): number => lost + unwritten + dropped;

/** How far behind a server is, in seconds: by what it says, else by its latest packet. */
const lagOf = ({ live, secondsAgo }: Node): number | null => live?.lagSeconds ?? secondsAgo ?? null;
export const isLate = (node: Node): boolean => node.name !== FILE && (lagOf(node) ?? 0) > LATE_S;

const IMPORTED = "All data was imported from captures; no agent has reported.";

/** Whether packets have come in, of any data set. */
export const hasData = ({ store, windows, dataSets }: Status): boolean => store.packets > 0 || windows.done > 0 || dataSets.some(({ coveredFrom }) => coveredFrom);

/** The whole table in one or two sentences. */
export function inShort(nodes: readonly Node[], simulated: boolean, isFilled: boolean): string[] {
  if (nodes.length === 0) return [isFilled ? IMPORTED : "No agents have reported yet."];
  if (simulated) return ["These servers are simulated: nothing is received, so nothing is late or lost."];
  const own = nodes.filter(({ name }) => name !== FILE);
  if (own.length === 0) return [IMPORTED];
  return [howFresh(own), howMuchLost(own)];
}

function howFresh(own: readonly Node[]): string {
  const late = own.filter(isLate).map(({ name }) => name);
  if (late.length === 0) return own.length === 1 ? "The server is up to date." : `All ${own.length} servers are up to date.`;
  return `Late: ${late.join(", ")}.${late.length < own.length ? " The others are up to date." : ""}`;
}

function howMuchLost(own: readonly Node[]): string {
  const live = own.flatMap((node) => (node.live ? [node.live] : []));
  if (live.length === 0) return "No agent has connected since this server started, so losses are unknown.";
  const lost = live.reduce((sum, one) => sum + gone(one), 0);
  const all = live.reduce((sum, one) => sum + one.received + one.lost, 0);
  return lost ? `${many(lost, "packet")} of ${count(all)} will never come (${percent((100 * lost) / Math.max(1, all))}).` : `None of ${many(all, "packet")} is lost.`;
}

function row(node: Node, simulated: boolean): HTMLElement {
  const isFile = node.name === FILE;
  const lag = lagOf(node);
  return stackedRow(
    columns(),
    [isFile ? "Captures" : node.name],
    [node.latestPacket ? moment(Date.parse(node.latestPacket)) : h("span", { class: "caution" }, "none yet"), ago(node, isFile)],
    [isFile || simulated || lag === null ? "–" : h("span", { class: isLate(node) ? "caution" : null }, duration(lag * 1000))],
    lossOf(node, isFile || simulated),
    [node.live ? count(node.live.waiting) : "–"],
  );
}

const ago = ({ secondsAgo }: Node, isFile: boolean): HTMLElement | null =>
  h("p", { class: "muted" }, isFile ? "imported" : secondsAgo == null ? "delivers, but nothing was received" : `${duration(secondsAgo * 1000)} ago`);

function lossOf({ live }: Node, none: boolean): Child[] {
  if (!live) return [none ? "–" : h("span", { class: "muted" }, "unknown")];
  const parts = [["no room in its kernel", live.lost], ["not written", live.unwritten], ["dropped from its spool", live.dropped]] as const;
  const there = parts.filter(([, n]) => n > 0).map(([why, n]) => h("p", { class: "muted" }, `${count(n)} ${why}`));
  return gone(live) ? [h("strong", { class: "caution" }, percent(Number(live.loss))), ...there] : ["nothing"];
}
