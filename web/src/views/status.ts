// How the data is: what came in, what was made of it, what was left out and why.

import * as radar from "../api/radar";
import type { Status } from "../api/wire";
import type { App } from "../app";
import { stateLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { bytes, count, moment, percent, range } from "../ui/format";
import { PROTECTED } from "./protected";
import { servers } from "./servers";
import { wayList } from "./way";
import { zoneName } from "../ui/zone";

export async function render(app: App): Promise<Child[]> {
  const status = await radar.status();
  return [
    h("h1", {}, "Status"),
    hints(status),
    h("div", { class: "status-grid" }, steps(app, status), servers(status), leftOut(status), sources(status)),
  ];
}

/** What is wrong or missing. That data are simulated stands above every view, that nothing has come in below. */
function hints({ hints: all, simulated, store, windows }: Status): HTMLElement | null {
  const isSaid = (hint: string): boolean => (simulated && hint.startsWith("SIMULATED")) || (store.segments === 0 && windows.done === 0 && hint.startsWith("Nothing has come in"));
  const hints = all.filter((hint) => !isSaid(hint));
  if (hints.length === 0) return null;
  return h("ul", { class: "hints" }, ...hints.map((hint) => h("li", {}, hint)));
}

function steps(app: App, status: Status): HTMLElement {
  const { windows, store } = status;
  const facts: [string, string][] = [
    ["Covered", store.coveredFrom && store.coveredTo ? `${range(Date.parse(store.coveredFrom), Date.parse(store.coveredTo))} ${zoneName()}` : "–"],
    ["Results", windows.from && windows.to ? `${range(Date.parse(windows.from), Date.parse(windows.to))} ${zoneName()}` : "–"],
    ["Last computed", windows.lastUpdated ? `${moment(Date.parse(windows.lastUpdated))} ${zoneName()}` : "–"],
    ["Addresses", store.packets || windows.done ? addresses(store.protectedAddresses) : "–"],
    ["Space", `${bytes(store.packetBytes)} packets, ${bytes(store.connectionBytes)} connections, ${bytes(store.rollupBytes)} counts`],
    ["Version", `${status.version}, running since ${moment(Date.parse(status.started))} ${zoneName()}`],
  ];
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "From packets to numbers"),
    wayList(status),
    h("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    windows.done > 0 ? h("p", { class: "more" }, stateLink(app.store, { view: "overview" }, { key: "to-overview" }, "Open the dashboard")) : null,
  );
}

/** How addresses are kept. */
const addresses = (ways: readonly string[]): string =>
  ways.length === 0 ? "stored in full" : `not the real ones, or not all: ${ways.map((way) => PROTECTED[way] ?? way).join("; others ")}`;

function leftOut({ exclusions, store }: Status): HTMLElement {
  const row = (one: Status["exclusions"][number]): HTMLElement =>
    h("tr", {}, h("th", { scope: "row" }, h("span", {}, one.title), h("p", { class: "muted" }, one.about)), h("td", { class: "number" }, count(one.count)), h("td", { class: "number" }, percent(Number(one.share))));
  const head = h("tr", {}, h("th", { scope: "col" }, "Reason"), h("th", { scope: "col", class: "number" }, "Connections"), h("th", { scope: "col", class: "number" }, "Share"));
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
