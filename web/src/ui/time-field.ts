// A field for a time, as the chosen zone's clock shows it.

import { isoMinute } from "../state/url";
import { h } from "./dom";
import { fromZone, inZone, zoneName } from "./zone";

export interface TimeField {
  /** With its label around it. */
  element: HTMLElement;
  /** Milliseconds since the epoch; NaN if it is empty. */
  read(): number;
}

/** `time` is what it shows first; empty if none. */
export function timeField(label: string, time: number | null, required = true): TimeField {
  const value = time === null ? "" : isoMinute(inZone(time)).slice(0, 16);
  const input = h("input", { type: "datetime-local", step: 900, value, "aria-label": `${label}, ${zoneName()}`, required });
  return { element: h("label", {}, `${label} (${zoneName()})`, input), read: () => fromZone(Date.parse(`${input.value}Z`)) };
}
