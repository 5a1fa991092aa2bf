// What maps, rankings and lines show: one stage, or all that is cut short.

import { type App, canRankAll } from "../app";
import { ANOMALOUS, type Metric, metricTitle } from "../state/stage";
import { segmented, toggle } from "./controls";
import { h } from "./dom";

export function metricControl({ store, state }: App): HTMLElement {
  const choices = (["any", ...ANOMALOUS] as const).map((metric) => ({ value: metric as Metric, label: metricTitle(metric) }));
  return segmented("Stage", choices, state.metric, (metric) => store.go({ metric, page: 0 }));
}

const LEAST = [1, 10, 30, 100, 300, 1000, 3000, 10_000];

/** What a ranking is made of: completed handshakes or all connections, and the least number of them. */
export function rankControls(app: App, chosen: number | null | undefined): HTMLElement {
  return h("div", { class: "rank-controls" }, everyControl(app), leastControl(app, chosen));
}

/** Only completed handshakes, or all; there is no choice where one of them is meant already. */
export function everyControl({ store, state }: App): HTMLElement | null {
  if (!canRankAll(state)) return null;
  return toggle(
    "Rank all connections",
    "Rankings count completed handshakes only: the source addresses of other connections may be spoofed, and scanners would come first.",
    state.every,
    (every) => store.go({ every, page: 0 }),
  );
}

/** How many connections somebody must have to be ranked. `chosen` is what the server takes by itself. */
function leastControl({ store, state }: App, chosen: number | null | undefined): HTMLElement {
  const select = h("select", { "data-key": "least" });
  const option = (value: number, label: string): HTMLOptionElement => h("option", { value, selected: value === state.least }, label);
  select.append(option(0, !chosen || state.least ? "automatic" : `automatic (${chosen})`), ...LEAST.map((n) => option(n, String(n))));
  select.addEventListener("change", () => store.go({ least: Number(select.value), page: 0 }));
  return h("label", { class: "least" }, "Minimum sample", select);
}
