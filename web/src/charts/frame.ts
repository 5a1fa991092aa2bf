// What all charts over time share: margins, scales, axes, a responsive place.

import { clock, compact, dayMonth, percentTick } from "../ui/format";
import { h, newId, s } from "../ui/dom";
import { missing, type Span } from "./times";
import { inZone } from "../ui/zone";
import { type Scale, utcScale, valueScaleTo } from "./scale";

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export type TimeScale = Scale;

export const inner = (frame: Frame): number => frame.width - frame.left - frame.right;

export function timeScale([from, to]: readonly [number, number], frame: Frame): TimeScale {
  return utcScale([from, to], [frame.left, frame.width - frame.right]);
}

/** `ticks` as for the axis, so that the uppermost one is the top. */
export function valueScale(max: number, frame: Frame, ticks = 5): Scale {
  return valueScaleTo(max, [frame.height - frame.bottom, frame.top], ticks);
}

const DAY = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function timeLabel(time: number, apart: number): string {
  const at = new Date(inZone(time));
  if (apart >= 27 * DAY) return at.getUTCMonth() === 0 ? String(at.getUTCFullYear()) : (MONTHS[at.getUTCMonth()] ?? "");
  return inZone(time) % DAY === 0 ? dayMonth(time) : clock(time);
}

/** The time axis. */
export function timeAxis(x: TimeScale, frame: Frame): SVGGElement {
  const ticks = x.ticks(Math.max(2, Math.floor(inner(frame) / 92)));
  const apart = ticks.length > 1 ? Number(ticks[1]) - Number(ticks[0]) : DAY;
  const y = frame.height - frame.bottom;
  const axis = s("g", { class: "axis axis-x" }, s("line", { x1: frame.left, x2: frame.width - frame.right, y1: y, y2: y }));
  for (const tick of ticks) {
    const at = x(tick);
    axis.append(s("line", { x1: at, x2: at, y1: y, y2: y + 4 }));
    // A label that would stand out over the edge is left out.
    if (at > frame.width - 18 || at < 18) continue;
    axis.append(s("text", { x: at, y: y + 18, "text-anchor": "middle" }, timeLabel(tick, apart)));
  }
  return axis;
}

export type ValueUnit = "share" | "count";
export const tickLabel = (unit: ValueUnit): ((n: number) => string) => (unit === "share" ? percentTick : compact);

/** The value axis with grid lines. */
export function valueAxis(y: Scale, frame: Frame, unit: ValueUnit, ticks = 5): SVGGElement {
  const axis = s("g", { class: "axis axis-y" });
  for (const tick of y.ticks(ticks)) {
    const at = y(tick);
    axis.append(
      s("line", { class: tick === 0 ? "zero" : "grid", x1: frame.left, x2: frame.width - frame.right, y1: at, y2: at }),
      s("text", { x: frame.left - 8, y: at + 4, "text-anchor": "end" }, tickLabel(unit)(tick)),
    );
  }
  return axis;
}

/** Stripes over the times of which there is no data. */
export function hatched({ range, known, gaps }: { range: Span; known?: Span; gaps?: readonly Span[] }, x: TimeScale, frame: Frame): SVGElement[] {
  const none = missing(range, known ?? range, gaps ?? []);
  if (none.length === 0) return [];
  const id = newId("hatch");
  const pattern = s("pattern", { id, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("path", { class: "hatch-line", d: "M0,0V7" }));
  const stripes = none.map(([from, to]) => s("rect", { class: "hatched", fill: `url(#${id})`, x: x(from), width: Math.max(2, x(to) - x(from)), y: frame.top, height: frame.height - frame.top - frame.bottom }));
  return [s("defs", {}, pattern), ...stripes];
}

/** A place of fixed height whose drawing follows its width. */
export function responsive(height: number, draw: (width: number) => SVGSVGElement): HTMLDivElement {
  const place = h("div", { class: "plot" });
  place.style.height = `${height}px`;
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width < 40 || width === drawn) return;
    drawn = width;
    place.querySelector("svg")?.remove();
    place.prepend(draw(width));
  }).observe(place);
  return place;
}

export function canvas(frame: Frame, label: string, ...children: Node[]): SVGSVGElement {
  const { width, height } = frame;
  return s("svg", { class: "chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...children);
}
