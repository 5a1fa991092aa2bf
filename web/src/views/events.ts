// What began, and perhaps ended, as a list with filters, and its feed.

import * as radar from "../api/radar";
import type { FoundEvent } from "../api/wire";
import { type App, selected } from "../app";
import { type State, WHICH, type Which } from "../state/url";
import { segmented } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { count, many } from "../ui/format";
import { reviewMenu } from "../ui/review";
import { CHANNELS, filtersOf, line } from "./happened";

const SHOWN = 200;

const NAMES: Record<Which, { label: string; title: string }> = {
  alarms: { label: "Alarms", title: "The first event of each episode, unless another explains it" },
  open: { label: "Open", title: "Those that continue" },
  all: { label: "All", title: "Also repetitions, and those that others explain" },
};

export async function render(app: App): Promise<Child[]> {
  const { state } = app;
  const events = await radar.events(selected(state), [...filtersOf(state), ["limit", String(SHOWN + 1)]]);
  return [
    h(
      "section",
      { class: "panel", "aria-labelledby": "events-title" },
      h("h2", { id: "events-title" }, "Events"),
      h("p", { class: "muted" }, "Fewer connections than usual, a larger share of them cut short at a stage, and what servers did not collect. What is usual is learnt from the same hours of the weeks before; about one alarm in eight is false. Nothing here says who did something, or why."),
      await named(app),
      controls(app),
      list(app, events),
      feed(state),
    ),
  ];
}

/** The event that the address names, whatever else is selected: links of alarms and feeds lead to it. */
async function named(app: App): Promise<HTMLElement | null> {
  const { event: id } = app.state;
  if (!id) return null;
  const event = await radar.event(id).catch(() => null);
  const content = event ? line(app, event, reviewMenu(app, event)) : h("li", {}, "There is no such event here.");
  return h("ul", { class: "events", "aria-label": `Event ${id}`, "data-key": "named" }, content);
}

function controls({ state, store }: App): HTMLElement {
  const which = segmented("Which", WHICH.map((value) => ({ value, ...NAMES[value] })), state.which, (which) => store.go({ which, page: 0 }));
  const channels = [{ value: "", label: "All" }, ...Object.entries(CHANNELS).map(([value, label]) => ({ value, label: label as string }))];
  return h("div", { class: "row-controls" }, which, segmented("What", channels, state.channel, (channel) => store.go({ channel, page: 0 })));
}

function list(app: App, events: readonly FoundEvent[]): HTMLElement {
  if (events.length === 0) return h("p", {}, "No events in this selection. In its first week a place is only watched, and places with few connections are noticed late: ", h("code", {}, "cutshort query watched"), " says how late.");
  const shown = events.slice(0, SHOWN);
  const more = events.length > SHOWN ? ` Earlier ones are not shown: choose a shorter time.` : "";
  return h("div", {}, h("p", { class: "muted", role: "status" }, `${many(shown.length, "event")}, the latest first.${more}`), h("ul", { class: "events", "aria-label": `${count(shown.length)} events` }, ...shown.map((event) => line(app, event, reviewMenu(app, event)))));
}

/** The same selection without its time: a feed has what is new. */
function feed(state: State): HTMLElement {
  const href = radar.feed(state.place, filtersOf(state)).href;
  return h("p", { class: "muted" }, h("a", { href, type: "application/atom+xml", "data-key": "feed" }, "Feed of this selection"), " (Atom), for feed readers.");
}
