// Notes about a time, which anyone with a token for writing adds where the chart is that they explain.

import { forget } from "../api/client";
import * as radar from "../api/radar";
import type { NoteToKeep } from "../api/wire";
import { type App, shortName } from "../app";
import { KINDS } from "../charts/marks";
import { h } from "./dom";
import { close, menu } from "./menu";
import { dataSetName } from "./selection";
import { timeField } from "./time-field";
import { writing } from "./token";

/** The kinds that people choose from; GENERAL is the usual one. */
const OFFERED = ["GENERAL", "OUTAGE", "PARTIAL_PROJECTION", "PIPELINE", "TRAFFIC_ANOMALY"] as const;

/** The note that was added last, so that it can be taken back. */
let added: string | null = null;

/** A button with a form for a note about the time that is shown. */
export function noteMenu(app: App, [from, to]: readonly [number, number]): HTMLElement {
  const text = h("textarea", { rows: 3, maxlength: 2000, required: true, "aria-label": "Text of the note" });
  const kind = h("select", {}, ...OFFERED.map((value) => h("option", { value }, KINDS[value] ?? value)));
  const [start, end] = [timeField("Start", from), timeField("End; empty if it continues", to, false)];
  const { place } = app.state;
  const own = place.kind === "location" || place.kind === "asn" ? h("input", { type: "checkbox", checked: true }) : null;
  const ofSet = h("input", { type: "checkbox", checked: true });
  const { elements, run } = writing();
  const form = h(
    "form",
    { class: "range-form note-form" },
    h("label", {}, "Note", text),
    start.element,
    end.element,
    h("label", {}, "Kind", kind),
    h("label", { class: "check" }, ofSet, ` Only about ${dataSetName(app.state.dataSet)}`),
    own ? h("label", { class: "check" }, own, ` Only about ${shortName(place)}`) : null,
    ...elements,
    h("button", { class: "button primary" }, "Add note"),
  );
  const read = (): NoteToKeep => {
    const last = end.read();
    return {
      description: text.value.trim(),
      eventType: kind.value,
      startDate: new Date(start.read()).toISOString(),
      ...(ofSet.checked ? { dataSet: app.state.dataSet } : {}),
      ...(Number.isNaN(last) ? {} : { endDate: new Date(last).toISOString() }),
      ...(own?.checked && place.kind === "location" ? { locations: [place.code] } : {}),
      ...(own?.checked && place.kind === "asn" ? { asns: [place.number] } : {}),
    };
  };
  const add = async (): Promise<void> => {
    added = (await radar.annotate(read())).id;
    close(form);
    showAgain(app);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run("Adding a note", add);
  });
  return menu("Note", { key: "note", class: "wide", title: "Add a note about this time" }, form);
}

/** That a note was added just now, and how to take it back. */
export function addedNote(app: App): HTMLElement | null {
  const id = added;
  if (id === null) return null;
  const line = h("p", { class: "muted", role: "status" }, "Your note was added. ");
  const remove = h("button", { type: "button", class: "button", "data-key": "remove-note" }, "Remove it");
  remove.addEventListener("click", () => {
    radar.removeAnnotation(id).then(
      () => {
        added = null;
        showAgain(app);
      },
      (error: unknown) => line.append(` ${error instanceof Error ? error.message : String(error)}`),
    );
  });
  line.append(remove);
  return line;
}

function showAgain({ store }: App): void {
  forget();
  store.again();
}
