// Several selections in one question, and as lines over each other.

import { type Answer, type Groups, shareAt } from "../api/answers";
import * as radar from "../api/radar";
import type { OverTime } from "../api/radar";
import type { Meta } from "../api/wire";
import { named, selected } from "../app";
import { type Line, lineChart } from "../charts/lines";
import type { Mark } from "../charts/marks";
import { type Place, samePlace } from "../state/place";
import { controlShift, type State, stepOf } from "../state/url";
import { collectedPart } from "../api/collected";
import { type Earlier, earlierOf } from "./earlier";
import { h } from "../ui/dom";

export interface Compared {
  places: Place[];
  names: string[];
  /** Of the whole time: all places, then all of them one period earlier. */
  sums: Answer;
  series: OverTime;
  /** Of the time itself, not of the earlier one. */
  meta: Meta;
  earlier: Earlier;
}

export async function comparison(state: State): Promise<Compared> {
  const places = [state.place, ...state.others.filter((place) => !samePlace(place, state.place))];
  const asked = places.map((place) => ({ ...selected(state), place }));
  const both = [...asked, ...asked.map((one) => ({ ...one, control: true }))];
  const [sums, series, own, all] = await Promise.all([
    radar.summary("stage", both),
    radar.stagesOverTime(both, { led: asked.length, step: stepOf(state) }),
    radar.summary("stage", asked),
    Promise.all(places.map(named)),
  ]);
  return { places, names: all.map(({ name }) => name), sums, series, meta: own.meta, earlier: earlierOf(state.range, sums.ranges[0], sums.ranges[asked.length], collectedPart(sums.meta.coverage?.[asked.length])) };
}

export function comparedLines(state: State, { places, names, series, earlier }: Compared): Line[] {
  const values = (groups: Groups): number[] => groups.times.map((_, at) => shareAt(groups, state.metric, at));
  const shift = controlShift(state.range);
  return places.flatMap((_, at): Line[] => {
    const [now, before] = [series.series[at], series.series[at + places.length]];
    if (!now) return [];
    const name = names[at] ?? "";
    const own: Line = { label: name, class: `hue-${at}`, times: now.times, values: values(now), sampled: now.sampled };
    if (!state.control || !before || earlier.missing) return [own];
    return [own, { label: `${name}, ${earlier.ago}`, class: `hue-${at}`, times: before.times, values: values(before), sampled: before.sampled, dashed: true, shift }];
  });
}

export function comparedChart({ series }: Compared, lines: readonly Line[], height: number, marks: readonly Mark[] = [], zoom?: (from: number, to: number) => void): HTMLDivElement {
  return lineChart({
    label: "Lines over time, one for each selection",
    range: series.ranges[0] ?? [0, 0],
    known: series.known,
    gaps: series.gaps,
    step: series.step,
    lines,
    marks,
    unit: "share",
    height,
    ...(zoom ? { zoom } : {}),
  });
}

export function comparedLegend(lines: readonly Line[]): HTMLElement {
  const entry = (one: Line): HTMLElement => h("span", { class: one.class, "data-legend": one.label }, h("span", { class: `swatch ${one.dashed ? "hollow" : ""}` }), one.label);
  return h("div", { class: "legend" }, ...lines.map(entry));
}
