// What every view is restricted to: chips that say it and take it away, and a panel that adds more.

import * as radar from "../api/radar";
import { total } from "../api/answers";
import { type App, filterName, filterText, named, saysTerms, selected, shortName, terms } from "../app";
import type { Store } from "../state/store";
import { COMMON_FILTERS, type Filter, FILTERS, type State } from "../state/url";
import { stateLink } from "./controls";
import { append, type Child, h } from "./dom";
import { close, menu } from "./menu";
import { searchField } from "./search";

/** What changes when a filter is set (or taken away by an empty value). */
export function filtered(state: State, key: Filter, value: string): Partial<State> {
  return { filters: Object.fromEntries(Object.entries({ ...state.filters, [key]: value }).filter(([, one]) => one)), page: 0 };
}

/** A value that filters when it is clicked. */
export const filterLink = ({ store, state }: App, key: Filter, value: string, label: Child, id: string): HTMLElement =>
  stateLink(store, filtered(state, key, value), { key: `only:${key}:${id}`, class: "only", title: `Only ${filterText(key, value)}` }, label);

/** Which filters a view obeys. */
const obeyed = ({ view }: State): readonly Filter[] => (view === "connections" ? FILTERS : COMMON_FILTERS);

/** The filters that are set, each with a button that takes it away. */
export async function filterChips({ store, state }: App): Promise<HTMLElement | null> {
  const chips: HTMLElement[] = [];
  const chip = (key: string, text: string, without: Partial<State>): void => {
    const remove = h("button", { type: "button", "aria-label": `Remove ${text}`, title: "Remove", "data-key": `unfilter:${key}`, onclick: () => store.go(without) }, "×");
    chips.push(h("li", { class: "chip" }, text, remove));
  };
  if (state.place.kind === "asn") {
    const { name, above } = await named(state.place);
    chip("place", `Network ${name}`, { place: above.at(-1) ?? { kind: "world" }, page: 0 });
  }
  if (saysTerms(state)) await terms().catch(() => null);
  for (const key of obeyed(state)) {
    const value = state.filters[key];
    if (value) chip(key, capital(filterText(key, value)), filtered(state, key, ""));
  }
  return chips.length ? h("ul", { class: "chips filter-chips", "aria-label": "Filters" }, ...chips) : null;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** How many filters are set. */
export const filterCount = (state: State): number => obeyed(state).filter((key) => state.filters[key]).length;

/** The panel; `switches` stand in it where there is no room for them elsewhere. */
export function filterMenu(app: App, switches: HTMLElement | null): HTMLElement {
  const { state } = app;
  const set = filterCount(state) + (switches ? Number(state.completed) + Number(state.unanswered) : 0);
  const panel = h("div", { class: "filter-panel" }, switches);
  const details = menu(set ? `Filter (${set})` : "Filter", { key: "filter-menu", class: `filter-menu wide${set ? " chosen" : ""}` }, panel);
  details.addEventListener("toggle", () => {
    if (!details.open || panel.dataset["filled"]) return;
    panel.dataset["filled"] = "yes";
    void choices(app).then((all) => append(panel, all));
  });
  return details;
}

async function choices(app: App): Promise<Child[]> {
  const { store, state } = app;
  const [status, texts, ports] = await Promise.all([radar.status().catch(() => null), terms().catch(() => null), usualPorts(app)]);
  const select = (key: Filter, options: readonly (readonly [string, string])[]): HTMLElement => {
    const known = options.some(([value]) => value === state.filters[key]);
    const own = state.filters[key] && !known ? [[state.filters[key], state.filters[key]] as const] : [];
    const field = h("select", { "data-key": `filter:${key}` }, h("option", { value: "" }, "all"), ...[...options, ...own].map(([value, label]) => h("option", { value, selected: state.filters[key] === value }, label)));
    field.addEventListener("change", () => choose(store, field, filtered(store.state, key, field.value)));
    return h("label", {}, filterName(key), field);
  };
  const network = searchField({
    label: "Network",
    placeholder: state.place.kind === "asn" ? shortName(state.place) : "Name or AS number",
    key: "filter:network",
    only: "asn",
    range: () => state.range,
    choose: (place) => choose(store, panel, { place, page: 0 }),
  });
  const panel = h("div", { class: "label" }, h("span", { "aria-hidden": "true" }, "Network"), network);
  return [
    select("node", (status?.nodes ?? []).map(({ name }) => [name, name])),
    select("port", ports.map((port) => [port, port])),
    select("ipVersion", [["IPv4", "IPv4"], ["IPv6", "IPv6"]]),
    panel,
    select("signature", (texts?.signatures ?? []).map(({ id, name }) => [String(id), name])),
    select("tag", (texts?.tags ?? []).map(({ name, title }) => [name, title])),
    select("scanner", [["false", "left out"], ["true", "only"]]),
    filterCount(state) ? h("p", {}, stateLink(store, { filters: {}, page: 0 }, { key: "no-filters" }, "Remove all filters")) : null,
  ];
}

function choose(store: Store, inside: Element, change: Partial<State>): void {
  close(inside);
  store.go(change);
}

/** The ports with the most connections in the selection. */
async function usualPorts({ state }: App): Promise<string[]> {
  const asked = { ...selected(state), only: {} };
  const found = await radar.summary("port", [asked], 20).catch(() => null);
  return [...(found?.series[0]?.by ?? [])].filter(([name, { sampled }]) => /^\d+$/.test(name) && total(sampled) > 0).map(([name]) => name);
}
