// A field for a time, as the chosen zone's clock shows it. A field of the browser would have the order and the AM and PM of its locale.

import { isoMinute } from "../state/url";
import { h } from "./dom";
import { fromZone, inZone, zoneName } from "./zone";

export interface TimeField {
  /** With its label around it. */
  element: HTMLElement;
  /** Milliseconds since the epoch; NaN if it is empty, or no time. */
  read(): number;
}

export const TIME_EXAMPLE = "2026-11-21 14:15";
const PATTERN = String.raw`\s*\d{4}-\d\d-\d\d([ T]+\d\d:\d\d)?\s*`;

/** `time` is what it shows first; empty if none. */
export function timeField(label: string, time: number | null, required = true): TimeField {
  const value = time === null ? "" : isoMinute(inZone(time)).slice(0, 16).replace("T", " ");
  const name = `${label}, ${zoneName()}`;
  const input = h("input", { type: "text", inputmode: "numeric", pattern: PATTERN, title: `As in ${TIME_EXAMPLE} (24 hours)`, placeholder: TIME_EXAMPLE, value, "aria-label": name, required, autocomplete: "off", spellcheck: "false" });
  const read = (): number => {
    const [day = "", clock = "00:00"] = input.value.trim().split(/[ T]+/);
    return fromZone(Date.parse(`${day}T${clock}Z`));
  };
  return { element: h("label", {}, `${label} (${zoneName()})`, h("span", { class: "time-field" }, input, dayPicker(input, name))), read };
}

/** The browser's calendar, which replaces the day and leaves the clock. */
function dayPicker(input: HTMLInputElement, name: string): HTMLElement {
  const day = h("input", { type: "date", tabindex: -1, "aria-hidden": "true" });
  day.addEventListener("change", () => day.value && (input.value = [day.value, ...input.value.trim().split(/[ T]+/).slice(1)].join(" ")));
  const button = h("button", { type: "button", class: "button", "aria-label": `${name}: choose a day`, title: "Choose a day" });
  button.innerHTML = '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M2 4h12v10H2zM2 7h12M5 2v3M11 2v3"/></svg>';
  button.addEventListener("click", () => {
    day.value = input.value.trim().slice(0, 10);
    day.showPicker();
  });
  return h("span", { class: "day-picker" }, button, day);
}
