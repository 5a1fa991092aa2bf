// Annotations on a chart over time: shaded spans with numbers that a list below explains.

import { h, s } from "../ui/dom";
import { range, moment } from "../ui/format";
import type { Note } from "../api/wire";
import type { Frame, TimeScale } from "./frame";
import { zoneName } from "../ui/zone";

export interface Mark {
  from: number;
  to: number;
  instant: boolean;
  kind: string;
  text: string;
  link: string;
}

export const KINDS: Record<string, string> = {
  GENERAL: "Note",
  OUTAGE: "Outage",
  PARTIAL_PROJECTION: "Incomplete data",
  PIPELINE: "Measurement",
  TRAFFIC_ANOMALY: "Unusual traffic",
  EVENT: "Event",
};

/** Notes that concern a part of the range; those of the whole range are about the data, not about a time. */
export function marksOf(notes: readonly Note[], [from, to]: readonly [number, number]): Mark[] {
  return notes
    .map((note) => ({
      from: Date.parse(note.startDate),
      to: Date.parse(note.endDate),
      instant: note.isInstantaneous,
      kind: note.eventType,
      text: note.description,
      link: note.linkedUrl,
    }))
    .filter((mark) => mark.from < to && mark.to >= from && !(mark.kind === "GENERAL" && mark.from <= from && mark.to >= to));
}

/** `1, 3–5`. */
export function listed(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const n of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === n - 1) last[1] = n;
    else runs.push([n, n]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(", ");
}

/** Pixels that a number takes. */
const NUMBER_WIDTH = 14;

export function drawMarks(marks: readonly Mark[], x: TimeScale, frame: Frame): SVGGElement {
  const layer = s("g", { class: "marks" });
  const [left, right] = [frame.left, frame.width - frame.right];
  const [top, height] = [frame.top, frame.height - frame.bottom - frame.top];
  const numbers: { at: number; of: number[] }[] = [];
  marks.forEach((mark, index) => {
    const from = Math.max(left, x(mark.from));
    const to = mark.instant ? from : Math.min(right, x(mark.to));
    layer.append(s("rect", { class: "mark", x: from, y: top, width: Math.max(2, to - from), height }));
    const at = (from + to) / 2;
    // Over each other nobody could read them.
    const near = numbers.find((other) => Math.abs(at - other.at) < NUMBER_WIDTH);
    if (near) near.of.push(index + 1);
    else numbers.push({ at, of: [index + 1] });
  });
  layer.append(...numbers.map((one) => s("text", { class: "mark-number", x: one.at, y: top - 5, "text-anchor": "middle" }, listed(one.of))));
  return layer;
}

/** The list below the chart. */
export function listMarks(marks: readonly Mark[]): HTMLElement | null {
  if (marks.length === 0) return null;
  const item = (mark: Mark): HTMLElement =>
    h(
      "li",
      {},
      h("strong", {}, KINDS[mark.kind] ?? mark.kind),
      ` ${mark.instant ? moment(mark.from) : range(mark.from, mark.to)} ${zoneName()}: `,
      /^https?:/.test(mark.link) ? h("a", { href: mark.link, rel: "noreferrer" }, mark.text) : mark.text,
    );
  return h("ol", { class: "mark-list" }, ...marks.map(item));
}
