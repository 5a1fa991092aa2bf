// The page around the views.

import * as radar from "../api/radar";
import type { App } from "../app";
import type { Store } from "../state/store";
import { type View, VIEWS } from "../state/url";
import { stateLink } from "./controls";
import { append, h, swap } from "./dom";
import { searchField } from "./search";
import { heading, rangeControl, switchesControl } from "./selection";
import { themeButton } from "./theme";

const NAMES: Record<View, string> = {
  overview: "Overview",
  compare: "Compare",
  where: "Where",
  networks: "Networks",
  how: "How",
  connections: "Connections",
  status: "Status",
};

export interface Shell {
  view: HTMLElement;
  /** When it is known what data these are, or cannot be known. */
  known: Promise<void>;
  update(app: App): Promise<void>;
}

export function shell(root: HTMLElement, store: Store): Shell {
  const search = searchField({
    label: "Find a country or network",
    placeholder: "Country, code, network or AS number",
    key: "search",
    choose: (place) => store.go({ place, page: 0, ...(store.state.view === "status" ? { view: "overview" } : {}) }),
  });
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    search.querySelector("input")?.focus();
  });
  const nav = h("nav", { class: "tabs", "aria-label": "Views" });
  const bar = h("div", { class: "bar" });
  const view = h("main", { id: "view", tabindex: -1 });
  const banner = h("p", { class: "simulated", hidden: true }, h("strong", {}, "Simulated data."), " These connections are made up; they tell nothing about real places or networks.");
  const footer = h("footer", {});
  append(root, [
    h("a", { class: "skip", href: "#view" }, "Skip to the content"),
    h("header", { class: "top" }, brand(store), search, themeButton()),
    nav,
    banner,
    bar,
    view,
    footer,
  ]);
  return {
    view,
    known: credit(footer, banner),
    async update(app) {
      swap(nav, ...VIEWS.map((name) => tab(app, name)));
      const current = nav.querySelector("[aria-current]");
      if (current instanceof HTMLElement) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - 40;
      const hasPlace = app.state.view !== "status";
      bar.hidden = !hasPlace;
      if (!hasPlace) return;
      const title = await heading(app);
      if (app.store.state !== app.state) return;
      document.title = `${title.querySelector("h1")?.firstChild?.textContent ?? ""} · ${NAMES[app.state.view]} · cutshort`;
      swap(bar, title, h("div", { class: "controls" }, rangeControl(app), switchesControl(app)));
    },
  };
}

function tab(app: App, name: View): HTMLElement {
  const current = app.state.view === name;
  return stateLink(app.store, { view: name, term: "", sort: "", page: 0 }, { key: `tab:${name}`, current }, NAMES[name]);
}

function brand(store: Store): HTMLElement {
  const link = h("a", { class: "brand", href: location.pathname, "aria-label": "cutshort: overview of the world" });
  link.innerHTML =
    '<svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true"><path class="brand-on" d="M2 10h13"/><path class="brand-off" d="M20 10h10"/><path class="brand-cut" d="M14 17 21 3"/></svg><span>cutshort</span>';
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    store.go({ view: "overview", place: { kind: "world" }, others: [], filters: {}, page: 0, term: "", sort: "" });
  });
  return link;
}

async function credit(footer: HTMLElement, banner: HTMLElement): Promise<void> {
  const status = await radar.status().catch(() => null);
  banner.hidden = !status?.simulated;
  const sources = (status?.geo ?? []).flatMap(({ name, date, urls }, at) => [at ? "; " : "", link(urls[0], name), ` (${date})`]);
  append(footer, [
    h("p", {}, "Times are UTC. Shares are of the connections that were sampled at these servers, by the place of their source address."),
    h(
      "p",
      {},
      ...(sources.length ? ["Places and networks: ", ...sources, ". "] : []),
      status ? `cutshort ${status.version}. ` : null,
      h("a", { href: "docs" }, "API"),
      ", ",
      h("a", { href: "licences.txt" }, "licences"),
    ),
  ]);
}

const link = (url: string | undefined, text: string): HTMLElement | string =>
  url && /^https?:/.test(url) ? h("a", { href: url, rel: "noreferrer" }, text) : text;
