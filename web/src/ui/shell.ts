// The page around the views.

import * as radar from "../api/radar";
import type { Status } from "../api/wire";
import type { App } from "../app";
import type { Store } from "../state/store";
import { ALL_DATA, DATA_SETS, type DataSet, lengthOf, type Range, type View, VIEWS } from "../state/url";
import { stateLink } from "./controls";
import { append, h, swap } from "./dom";
import { filterChips, filterMenu } from "./filters";
import { searchField } from "./search";
import { dataSetControl, heading, rangeControl, switchesControl } from "./selection";
import { clock } from "./format";
import { reach } from "./reach";
import { themeButton } from "./theme";
import { zoneName } from "./zone";

const NAMES: Record<View, string> = {
  overview: "Overview",
  events: "Events",
  compare: "Compare",
  where: "Countries",
  networks: "Networks",
  servers: "Servers",
  how: "Signatures",
  connections: "Connections",
  status: "Status",
  method: "Method",
};

/** Switches stand in the filter panel there. */
const NARROW = matchMedia("(width < 1000px)");

/** A view that takes longer is said to be on its way. */
const LATE_MS = 300;

export interface Shell {
  view: HTMLElement;
  /** Says that a view is on its way if it takes long, until it is there (null). */
  loading(view: View | null): void;
  /** When it is known what data these are, or cannot be known. */
  known: Promise<void>;
  update(app: App): Promise<void>;
  /** What is shown was just answered. */
  answered(): void;
  /** Calls when the server answers again after it did not. */
  onReturn(back: () => void): void;
  /** A note that stays until another time is chosen. */
  say(text: string): void;
}

export function shell(root: HTMLElement, store: Store): Shell {
  let shownApp: App | null = null;
  const search = searchField({
    label: "Find a country or network",
    placeholder: "Country, code, network or AS number",
    key: "search",
    range: () => shownApp?.state.range ?? store.state.range,
    choose: (place) => store.go({ place, page: 0, ...(["status", "method"].includes(store.state.view) ? { view: "overview" } : {}) }),
  });
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    search.querySelector("input")?.focus();
  });
  NARROW.addEventListener("change", () => shownApp && void page.update(shownApp));
  const nav = h("nav", { class: "tabs", "aria-label": "Views" });
  const bar = h("section", { class: "bar", "aria-label": "What is shown" });
  const view = h("main", { id: "view", tabindex: -1 });
  const banner = h("p", { class: "simulated", hidden: true }, h("strong", {}, "Simulated data."), " It says nothing about real places or networks. ");
  const more = h("span", {});
  banner.append(more);
  let whole: Range | null = null;
  let dataSets: readonly DataSet[] = [];
  const offer = (): void => swap(more, wholeLink(store, whole));
  const footer = h("footer", {});
  const progress = h("p", { class: "loading", role: "status" });
  let late = 0;
  const header = h("header", { class: "top" }, h("a", { class: "skip", href: "#view" }, "Skip to the content"), brand(store), search, themeButton());
  // That more tabs follow must be seen.
  const hint = (): boolean => nav.classList.toggle("overflows", nav.scrollLeft + nav.clientWidth < nav.scrollWidth - 4);
  nav.addEventListener("scroll", hint);
  let back: (() => void) | null = null;
  const server = reach(() => back?.());
  const showAsOf = (): string => `as of ${clock(server.asOf())}`;
  // Its room is kept from the beginning: where it takes a line more, what stands below must not move.
  const asOf = h("span", { class: "as-of muted pending" }, showAsOf());
  const note = h("p", { class: "latest-note", role: "status", hidden: true });
  let saidOf: Range | null = null;
  const notices = h("section", { "aria-label": "Notices" }, server.banner, banner, note);
  append(root, [header, nav, notices, bar, view, footer]);
  header.append(progress);
  const page: Shell = {
    view,
    answered() {
      server.answered();
      asOf.textContent = showAsOf();
      asOf.classList.remove("pending");
      asOf.title = `${zoneName()}: when this was asked for`;
    },
    onReturn: (call) => void (back = call),
    say(text) {
      note.textContent = text;
      saidOf = store.state.range;
    },
    known: credit(store, footer, banner).then((status) => {
      whole = wholeOf(status);
      dataSets = DATA_SETS.filter((one) => status?.dataSets.some(({ name }) => name === one));
      offer();
    }),
    loading(next) {
      clearTimeout(late);
      progress.textContent = "";
      view.classList.remove("outdated", "skeleton");
      if (next === null) return;
      late = window.setTimeout(() => {
        progress.textContent = "Loading…";
        // What belongs to another tab would be taken for this one's.
        view.classList.toggle("outdated", view.dataset["view"] !== next);
        view.classList.toggle("skeleton", view.dataset["view"] !== next);
      }, LATE_MS);
    },
    async update(app) {
      shownApp = app;
      nav.setAttribute("aria-label", VIEWS_OF[app.state.dataSet]);
      swap(nav, ...VIEWS.map((name) => tab(app, name)));
      note.hidden = saidOf === null || saidOf !== store.state.range;
      const current = nav.querySelector("[aria-current]");
      if (current instanceof HTMLElement) nav.scrollLeft = current.offsetLeft - nav.offsetLeft - 40;
      hint();
      const isWrong = app.state.wrong.length > 0;
      const hasPlace = app.state.view !== "status" && app.state.view !== "method" && !isWrong;
      bar.hidden = !hasPlace;
      offer();
      if (!hasPlace) document.title = `${isWrong ? "Not found" : NAMES[app.state.view]} · cutshort`;
      if (!hasPlace) return;
      const title = await heading(app);
      const chips = await filterChips(app);
      if (shownApp !== app) return;
      document.title = `${title.querySelector("h1")?.firstChild?.textContent ?? ""} · ${viewName(app.state.view, app.state.dataSet)} · cutshort`;
      const isNarrow = NARROW.matches;
      await page.known;
      if (shownApp !== app) return;
      const switches = switchesControl(app);
      const filter = filterMenu(app, isNarrow ? switches : null);
      const [range, sets] = [rangeControl(app, asOf), dataSetControl(app, dataSets)];
      if (isNarrow && !sets) range.append(filter);
      if (sets && !isNarrow) title.append(sets);
      const row = isNarrow ? (sets ? [sets, filter] : []) : [switches, filter];
      swap(bar, title, h("div", { class: "controls" }, range, h("div", { class: "filter-row" }, ...row)), chips ?? "");
    },
  };
  return page;
}

/** What ranks networks ranks the servers in them, too, where these are asked about. */
const VIEWS_OF: Record<DataSet, string> = { tcp: "Views", origin: "Views of connections to other servers", quic: "Views of QUIC connections" };

const viewName = (view: View, dataSet: DataSet): string => (dataSet === "origin" && view === "networks" ? "Upstreams" : NAMES[view]);

function tab(app: App, name: View): HTMLElement {
  const current = app.state.view === name && app.state.wrong.length === 0;
  return stateLink(app.store, { view: name, term: "", sort: "", page: 0 }, { key: `tab:${name}`, current }, viewName(name, app.state.dataSet));
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

async function credit(store: Store, footer: HTMLElement, banner: HTMLElement): Promise<Status | null> {
  const status = await radar.status().catch(() => null);
  banner.hidden = !status?.simulated;
  const sources = (status?.geo ?? []).flatMap(({ name, date, licence, urls }, at) => [at ? "; " : "", link(urls[0], name), ` (${[date, licence].filter(Boolean).join(", ")})`]);
  append(footer, [
    h("p", {}, "Shares are of sampled connections, by the place of the other end: of clients, or of the servers that connections were opened to."),
    h(
      "p",
      {},
      ...(sources.length ? ["Places and networks: ", ...sources, ". "] : []),
      status ? `cutshort ${status.version}. ` : null,
      stateLink(store, { view: "method", term: "" }, { key: "footer-method" }, "Method"),
      ", ",
      h("a", { href: "docs" }, "Documentation"),
      ", ",
      h("a", { href: "licences.txt" }, "licences"),
    ),
  ]);
  return status;
}

const WEEK = 7 * 86_400_000;

/** The time that has results, in whole weeks up to now; none if they are old. */
function wholeOf(status: Status | null): Range | null {
  const [from, to] = [Date.parse(status?.windows.from ?? ""), Date.parse(status?.windows.to ?? "")];
  const weeks = Math.round((to - from) / WEEK);
  return weeks > 1 && weeks < 100 && Date.now() - to < WEEK / 7 ? { kind: "last", span: `${weeks}w` } : null;
}

/** Someone who looks for the first time should see what there is. */
function wholeLink(store: Store, whole: Range | null): HTMLElement | null {
  const { range } = store.state;
  if (!whole || store.state.view === "status" || (range.kind === "last" && range.span === ALL_DATA) || lengthOf(store.state.range) >= lengthOf(whole)) return null;
  return stateLink(store, { range: whole, page: 0 }, { key: "whole-time" }, `Show all ${Math.round(lengthOf(whole) / WEEK)} weeks`);
}

const link = (url: string | undefined, text: string): HTMLElement | string =>
  url && /^https?:/.test(url) ? h("a", { href: url, rel: "noreferrer" }, text) : text;
