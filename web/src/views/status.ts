// How the data is: what came in, what was made of it, what was left out and why.

import * as radar from "../api/radar";
import type { Status } from "../api/wire";
import type { App } from "../app";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { bytes, count, duration, moment, percent, range } from "../ui/format";

export async function render(app: App): Promise<Child[]> {
  const status = await radar.status();
  return [
    h("h1", {}, "Status"),
    hints(status),
    h("div", { class: "status-grid" }, h("div", {}, steps(app, status), sources(status)), h("div", {}, servers(status), leftOut(status))),
  ];
}

/** What is wrong or missing. That data are simulated stands above every view. */
function hints({ hints: all, simulated }: Status): HTMLElement | null {
  const hints = all.filter((hint) => !(simulated && hint.startsWith("SIMULATED")));
  if (hints.length === 0) return null;
  return h("ul", { class: "hints" }, ...hints.map((hint) => h("li", {}, hint)));
}

type Step = { name: string; state: "good" | "none" | "wait" | "bad"; text: string; todo?: Child };

/** The way of the data, from packets to numbers: which step has seen nothing yet, and what to do. */
export function wayOf({ store, windows }: Status): Step[] {
  const packets = store.packets > 0 || windows.done > 0;
  const late = windows.trouble !== null;
  return [
    {
      name: "Packets come in",
      state: packets ? "good" : "none",
      text: packets ? `${count(store.packets)} packets in ${count(store.segments)} segments, ${bytes(store.packetBytes)}` : "Nothing has come in yet.",
      todo: packets ? null : firstPackets(),
    },
    {
      name: "Windows are computed",
      state: late ? "bad" : windows.done > 0 ? (windows.pending > 0 ? "wait" : "good") : packets ? "wait" : "none",
      text: windows.done > 0 ? `${count(windows.done)} windows of 15 minutes, ${windows.pending ? `${count(windows.pending)} still to do` : "none to do"}` : packets ? "The first window is computed 30 s after its end." : "Waits for packets.",
      todo: windows.trouble,
    },
    {
      name: "Connections are counted",
      state: windows.connections > 0 ? "good" : windows.done > 0 ? "bad" : "none",
      text: windows.connections > 0 ? `${count(windows.connections)} connections` : windows.done > 0 ? "There are results, but no connection in them." : "Waits for results.",
      todo: windows.done > 0 && windows.connections === 0 ? "Captures must hold packets from clients to the server, and begin before the connections do: see what was left out." : null,
    },
  ];
}

/** The ways to put something in. */
const firstPackets = (): HTMLElement =>
  h(
    "ul",
    {},
    h("li", {}, "From the servers that are looked at: ", h("code", {}, "cutshort agent"), " sends to this address, with a token that ", h("code", {}, "cutshort token create --scope ingest NAME"), " makes. If one runs already, its log says why nothing arrives."),
    h("li", {}, "From this machine: ", h("code", {}, "cutshort serve --capture nflog:5"), "."),
    h("li", {}, "From a capture, while the server is stopped: ", h("code", {}, "cutshort import --data DIR capture.pcap"), "."),
    h("li", {}, "To look around: ", h("code", {}, "cutshort demo"), "."),
  );

const STATES: Record<Step["state"], string> = { good: "works", none: "nothing yet", wait: "in progress", bad: "trouble" };

function steps(app: App, status: Status): HTMLElement {
  const { windows, store } = status;
  const items = wayOf(status).map((step) =>
    h("li", { class: `step ${step.state}` }, h("h3", {}, step.name, h("span", { class: "step-state" }, STATES[step.state])), h("p", {}, step.text), step.todo ? h("div", { class: "todo" }, step.todo) : null),
  );
  const facts: [string, string][] = [
    ["Covered", store.coveredFrom && store.coveredTo ? `${range(Date.parse(store.coveredFrom), Date.parse(store.coveredTo))} UTC` : "–"],
    ["Results", windows.from && windows.to ? `${range(Date.parse(windows.from), Date.parse(windows.to))} UTC` : "–"],
    ["Last computed", windows.lastUpdated ? `${moment(Date.parse(windows.lastUpdated))} UTC` : "–"],
    ["Space", `${bytes(store.packetBytes)} packets, ${bytes(store.connectionBytes)} connections, ${bytes(store.rollupBytes)} counts`],
    ["Version", `${status.version}, running since ${moment(Date.parse(status.started))} UTC`],
  ];
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "From packets to numbers"),
    h("ol", { class: "steps" }, ...items),
    h("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    windows.done > 0 ? h("p", {}, stateLink(app.store, { view: "overview" }, { key: "to-overview" }, "Look at the numbers")) : null,
  );
}

/** A server that was silent for longer than this is marked. */
const SILENT_S = 900;

function servers({ nodes, store }: Status): HTMLElement {
  const row = (node: Status["nodes"][number]): HTMLElement => {
    const silent = node.secondsAgo > SILENT_S && node.name !== "file";
    const ago = node.name === "file" ? "imported" : `${duration(node.secondsAgo * 1000)} ago`;
    return h("tr", {}, h("th", { scope: "row" }, node.name === "file" ? "Captures" : node.name), h("td", {}, `${moment(Date.parse(node.latestPacket))} UTC`), h("td", { class: `number ${silent ? "caution" : ""}` }, ago));
  };
  const head = h("tr", {}, ...["Server", "Latest packet", "Lag"].map((text, at) => h("th", { scope: "col", class: at === 2 ? "number" : null }, text)));
  const table = h("table", { class: "data" }, h("thead", {}, head), h("tbody", {}, ...nodes.map(row)));
  const damaged = store.damaged.map(({ name, why }) => h("li", {}, h("code", {}, name), `: ${why}`));
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Servers"),
    nodes.length ? h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "Servers" }, table) : h("p", { class: "muted" }, "No server has sent packets yet."),
    damaged.length ? h("div", {}, h("h3", {}, "Set aside because it could not be read"), h("ul", {}, ...damaged)) : null,
  );
}

function leftOut({ exclusions, store }: Status): HTMLElement {
  const row = (one: Status["exclusions"][number]): HTMLElement =>
    h("tr", {}, h("th", { scope: "row" }, h("code", {}, one.name), h("p", { class: "muted" }, one.about)), h("td", { class: "number" }, count(one.count)), h("td", { class: "number" }, percent(Number(one.share))));
  const head = h("tr", {}, h("th", { scope: "col" }, "Reason"), h("th", { scope: "col", class: "number" }, "5-tuples"), h("th", { scope: "col", class: "number" }, "Share"));
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Left out of all totals"),
    h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "Left out, by reason" }, h("table", { class: "data" }, h("thead", {}, head), h("tbody", {}, ...exclusions.map(row)))),
    h("p", { class: "muted" }, `Packets seen twice: ${percent(Number(store.copies))}. Over 5 % means that the capture sees packets at two points.`),
  );
}

function sources({ geo }: Status): HTMLElement {
  const row = (one: Status["geo"][number]): HTMLElement => {
    const [url] = one.urls;
    const name = url && /^https?:/.test(url) ? h("a", { href: url, rel: "noreferrer" }, one.name) : one.name;
    const of = [one.country ? "countries" : "", one.network ? "networks" : ""].filter(Boolean).join(" and ");
    return h("li", {}, name, `, ${one.date}: ${of || "nothing"}`, one.licence ? h("span", { class: "muted" }, ` (${one.licence})`) : null);
  };
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Places and networks"),
    geo.length ? h("ul", { class: "plain" }, ...geo.map(row)) : h("p", {}, "No geo data is loaded: connections have no place. See ", h("code", {}, "cutshort geo --help"), "."),
    h("p", { class: "muted" }, "Sources agree on 91 to 98 % of addresses. Addresses of connections that never completed the handshake may be spoofed."),
  );
}
