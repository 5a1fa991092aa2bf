// What stands where there is nothing to show: what is missing, and what to do.

import * as radar from "../api/radar";
import { ApiError, forget } from "../api/client";
import type { App } from "../app";
import { stateLink } from "./controls";
import { h } from "./dom";
import { range } from "./format";

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
      links.push(h("li", {}, stateLink(app.store, { range: { kind: "fixed", from: recent, to } }, { key: "empty-range" }, `Show ${range(recent, to)} UTC`)));
    }
    links.push(h("li", {}, `Results reach from ${range(from, to)} UTC.`));
  }
  if (app.state.place.kind !== "world") links.push(h("li", {}, stateLink(app.store, { place: { kind: "world" } }, { key: "empty-world" }, "Look at the whole world")));
  if (app.state.completed || app.state.unanswered) {
    links.push(h("li", {}, stateLink(app.store, { completed: false, unanswered: false }, { key: "empty-all" }, "Count all connections")));
  }
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, "No connections here"),
    h("p", {}, `Nothing of the selection was seen from ${range(...between)} UTC.`),
    h("ul", {}, ...links),
  );
}

export function emptyStore({ store }: App): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, "Nothing has come in yet"),
    h("p", {}, "Read a capture into the store, and the page fills within a minute:"),
    h("pre", {}, "cutshort import --data DIR capture.pcap"),
    h("p", {}, "Or look around with simulated data: ", h("code", {}, "cutshort demo"), "."),
    h("p", {}, stateLink(store, { view: "status" }, { key: "empty-status" }, "Status"), " says which step of the way has seen nothing."),
  );
}

/** Something went wrong. */
export function failure(error: unknown, again: () => void): HTMLElement {
  const message = error instanceof Error ? error.message : String(error);
  const wait = error instanceof ApiError && error.status === 401 ? "Open the page on the machine itself, or ask the operator for a token." : null;
  const button = h("button", { type: "button", class: "button", "data-key": "again" }, "Try again");
  button.addEventListener("click", () => {
    forget();
    again();
  });
  return h("div", { class: "empty", role: "alert" }, h("h2", {}, "This could not be shown"), h("p", {}, message), wait ? h("p", {}, wait) : null, button);
}
