// The stacked chart of the stages, in the Overview and in other pages.

import type { OverTime } from "../api/radar";
import { ANOMALOUS, stageClass, title } from "../state/stage";
import type { Mark } from "../charts/marks";
import { stackChart } from "../charts/stack";
import { isCounting, type State } from "../state/url";
import { h } from "../ui/dom";
import { layersOf } from "./series";

export { isEmpty, unitText } from "./series";

export const NOT_CUT = "Not cut short";

export function stageChart(state: State, series: OverTime, marks: readonly Mark[], height: number, zoom?: (from: number, to: number) => void): HTMLDivElement {
  const [groups] = series.series;
  if (!groups) return h("div");
  return stackChart({
    label: "Stacked areas of the anomalous stages over time",
    times: groups.times,
    range: series.ranges[0] ?? [0, 0],
    known: series.known,
    gaps: series.gaps,
    step: series.step,
    layers: layersOf(groups, isCounting(state), state.hidden),
    unit: isCounting(state) ? "count" : "share",
    sampled: groups.sampled,
    height,
    marks,
    ...(zoom ? { zoom } : {}),
  });
}

/** A legend that only tells. */
export function plainLegend(state: State): HTMLElement {
  const shown = ANOMALOUS.filter((stage) => !state.hidden.includes(stage));
  const entry = (kind: string, label: string): HTMLElement => h("span", { class: kind, "data-legend": label }, h("span", { class: "swatch" }), label);
  return h("div", { class: "legend" }, ...shown.map((stage) => entry(stageClass(stage), title(stage))), isCounting(state) ? entry(stageClass("no_match"), NOT_CUT) : null);
}
