// What stands where there is nothing to show: what is missing, and what to do.

import { total } from "../api/answers";
import type { Asked } from "../api/question";
import * as radar from "../api/radar";
import { ApiError, forget, useToken } from "../api/client";
import type { App } from "../app";
import { stateLink } from "./controls";
import { h } from "./dom";
import { many, range } from "./format";
import { zoneName } from "./zone";

/** No connection is in the selection: where there are some. */
export async function nothing(app: App, between: readonly [number, number]): Promise<HTMLElement> {
  const status = await radar.status().catch(() => null);
  const { from: first, to: last } = status?.windows ?? { from: null, to: null };
  if (status && !first) return emptyStore(app);
  const links: HTMLElement[] = [];
  if (first && last) {
    const [from, to] = [Date.parse(first), Date.parse(last)];
    if (to <= between[0] || from >= between[1]) {
      const recent = Math.max(from, to - 7 * 86_400_000);
      links.push(h("li", {}, stateLink(app.store, { range: { kind: "fixed", from: recent, to } }, { key: "empty-range" }, `Show ${range(recent, to)} ${zoneName()}`)));
    }
    if (!links.length || to - from > 7 * 86_400_000) links.push(h("li", {}, `Data is available for ${range(from, to)} ${zoneName()}.`));
  }
  if (app.state.place.kind !== "world") links.push(h("li", {}, stateLink(app.store, { place: { kind: "world" } }, { key: "empty-world" }, "Show the whole world")));
  if (Object.keys(app.state.filters).length) links.push(h("li", {}, stateLink(app.store, { filters: {}, page: 0 }, { key: "empty-filters" }, "Remove the filters")));
  if (app.state.completed || app.state.unanswered) {
    links.push(h("li", {}, stateLink(app.store, { completed: false, unanswered: false }, { key: "empty-all" }, "Count all connections")));
  }
  return h(
    "div",
    { class: "empty waits" },
    h("h2", {}, "No data for this selection"),
    h("p", {}, `No connections matched in this period: ${range(...between)} ${zoneName()}.`),
    h("ul", {}, ...links),
  );
}

/** There are connections, but it is not known where from. */
export const nowhere = ({ store, state }: App, sampled: number): HTMLElement =>
  h(
    "div",
    { class: "empty" },
    h("h2", {}, state.dataSet === "origin" ? "No country or network of these servers is known" : "No country or network of these clients is known"),
    h("p", {}, `They have private or reserved addresses. ${many(sampled, "connection was", "connections were")} sampled in this period; the other views show them.`),
    h("p", {}, stateLink(store, { view: "overview" }, { key: "nowhere-overview" }, "Overview")),
  );

/** Nobody is in a ranking: because none is known, or because nobody has so many connections. */
export async function unranked(app: App, what: "locations" | "ases", asked: Asked, least: number | null | undefined): Promise<HTMLElement> {
  const [any, all] = await Promise.all([radar.top(what, asked, app.state.metric, 1, 1), radar.summary("stage", [asked])]);
  const sampled = total(all.series[0]?.sampled ?? []);
  if (sampled === 0) return nothing(app, any.range);
  if (any.rows.length === 0) return nowhere(app, sampled);
  const one = what === "ases" ? "network" : "country";
  return h("div", { class: "empty" }, h("h2", {}, `No ${one} has that many connections`), h("p", {}, `No ${one} has at least ${many(app.state.least || least || 1, "sampled connection")} in this period. Choose a smaller minimum sample or a longer period.`));
}

export function emptyStore({ store }: App): HTMLElement {
  return h(
    "div",
    { class: "empty waits" },
    h("h2", {}, "No data yet"),
    h("p", {}, "This page fills by itself as soon as data arrives. Ways to get data in:"),
    waysIn(),
    h("p", {}, stateLink(store, { view: "status" }, { key: "empty-status" }, "Status"), " shows which stage of the pipeline is waiting."),
  );
}

/** All the ways in, and who tells what is in the way. */
export const waysIn = (): HTMLElement =>
  h(
    "ul",
    {},
    h("li", {}, "Packets of other servers: run ", h("code", {}, "cutshort agent"), " there to send them to this address, with a token that ", h("code", {}, "cutshort token create --scope ingest NAME"), " creates here."),
    h("li", {}, "Packets of this server: start it with ", h("code", {}, "cutshort serve --capture nflog:5"), " or ", h("code", {}, "--capture af_packet:eth0"), "."),
    h("li", {}, "Running but still nothing? Run ", h("code", {}, "cutshort doctor"), " on that host to find out why."),
    h("li", {}, "A capture file: ", h("code", {}, "cutshort import --data DIR capture.pcap"), ", while this server is stopped."),
    h("li", {}, "To look around with simulated data: ", h("code", {}, "cutshort demo"), "."),
  );

/** Something went wrong. */
export function failure(error: unknown, { store, state }: App, again: () => void): HTMLElement {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return askForToken(error, again);
  const message = error instanceof Error ? error.message : String(error);
  const button = h("button", { type: "button", class: "button", "data-key": "again" }, "Try again");
  button.addEventListener("click", () => {
    forget();
    again();
  });
  return h("div", { class: "empty waits", role: "alert" }, h("h2", {}, "This view could not be loaded"), h("p", {}, message), error instanceof ApiError && error.status === 400 && Object.keys(state.filters).length ? h("p", {}, stateLink(store, { filters: {}, page: 0 }, { key: "no-filters" }, "Remove the filters")) : null, button);
}

/** On other addresses than loopback a server wants a token, unless its operator has opened it. */
function askForToken(error: ApiError, again: () => void): HTMLElement {
  const field = h("input", { type: "password", autocomplete: "off", required: true, "data-key": "token" });
  const form = h("form", { class: "token" }, h("label", {}, "Token", field), h("button", { class: "button primary" }, "Use it"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(field.value.trim());
    again();
  });
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, "Access token required"),
    h("p", { role: "alert" }, error.status === 401 ? "Reading needs a token with the scope “read”. If you entered one, it is unknown or was revoked." : error.message),
    form,
    h("p", { class: "muted" }, "The operator creates one with ", h("code", {}, "cutshort token create --data DIR --scope read NAME"), ". It is stored until you close this tab."),
  );
}
