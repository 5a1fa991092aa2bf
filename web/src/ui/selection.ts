// The bar that says what is looked at: place, time, and which connections count.

import { type App, named, shortName } from "../app";
import { ALL_DATA, DATA_SETS, type DataSet, isStep, lengthOf, type Range, type Span, SPANS, type Step, stepOf, STEPS, type Zone, ZONES } from "../state/url";
import { type Choice, segmented, stateLink, toggle } from "./controls";
import { h } from "./dom";
import { filtered } from "./filters";
import { range as rangeText, shortRange } from "./format";
import { close, menu } from "./menu";
import { TIME_EXAMPLE, timeField } from "./time-field";
import { localZone, zoneName } from "./zone";

const SPAN_NAMES: Record<Span, [string, string]> = {
  "1d": ["24 h", "The last 24 hours"],
  "7d": ["7 d", "The last 7 days"],
  "4w": ["4 w", "The last 4 weeks"],
  "12w": ["12 w", "The last 12 weeks"],
  "52w": ["52 w", "The last 52 weeks"],
};

/** Title and way up. */
export async function heading({ store, state }: App): Promise<HTMLElement> {
  const { name, kind, above } = await named(state.place);
  const crumbs = above.map((place) => h("li", {}, stateLink(store, { place, page: 0 }, {}, shortName(place))));
  return h(
    "div",
    { class: "title" },
    crumbs.length ? h("nav", { "aria-label": "Wider selections" }, h("ol", { class: "crumbs" }, ...crumbs)) : null,
    h("h1", {}, name, h("span", { class: "kind" }, kind)),
  );
}

const DATA_SET_NAMES: Record<DataSet, [string, string]> = {
  tcp: ["Clients → us", "Connections that clients open to these servers"],
  origin: ["Us → servers", "Connections that these hosts open to other servers, such as a proxy to its upstreams"],
  quic: ["QUIC", "Connections that clients open to these servers over QUIC, by the clients' datagrams alone"],
};

export const dataSetName = (dataSet: DataSet): string => DATA_SET_NAMES[dataSet][0];

/** Which connections, where there are several data sets. Filters and terms of one mean nothing in another. */
export function dataSetControl({ store, state }: App, there: readonly DataSet[]): HTMLElement | null {
  if (there.length < 2 && state.dataSet === "tcp") return null;
  const shown = DATA_SETS.filter((value) => value === "tcp" || value === state.dataSet || there.includes(value));
  const choices = shown.map((value): Choice<DataSet> => ({ value, label: DATA_SET_NAMES[value][0], title: DATA_SET_NAMES[value][1] }));
  return segmented("Data set", choices, state.dataSet, (dataSet) => store.go({ dataSet, filters: {}, term: "", sort: "", hidden: [], metric: "any", page: 0 }));
}

/** Presets, and a free choice. */
export function rangeControl({ store, state }: App, asOf: HTMLElement): HTMLElement {
  const { range } = state;
  const choices: Choice<string>[] = SPANS.map((span): Choice<string> => ({ value: span, label: SPAN_NAMES[span][0], title: SPAN_NAMES[span][1] }));
  const given = store.state.range;
  const value = given.kind === "last" ? given.span : "";
  choices.push({ value: ALL_DATA, label: "All", title: "All the time of which there is data" });
  const presets = segmented("Time", choices, value, (span) => store.go({ range: { kind: "last", span }, page: 0 }));
  return h("div", { class: "range" }, h("span", { class: "when" }, period(range), " ", asOf), presets, custom({ store, state }), given.kind === "fixed" && range.kind === "fixed" ? zoomOut({ store, state }, range) : null);
}

/** Which time it is, to the minute. */
function period(range: Range): HTMLElement {
  const now = Math.floor(Date.now() / 900_000) * 900_000;
  const shown = range.kind === "fixed" ? ([range.from, range.to] as const) : ([now - lengthOf(range), now] as const);
  return h("span", { class: "period", title: `${rangeText(...shown)} ${zoneName()}` }, `${shortRange(...shown, now)} ${zoneName()}`);
}

function custom({ store, state }: App): HTMLElement {
  const now = Math.floor(Date.now() / 900_000) * 900_000;
  const [from, to] = state.range.kind === "fixed" ? [state.range.from, state.range.to] : [now - lengthOf(state.range), now];
  const [start, end] = [timeField("From", from), timeField("To", to)];
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h(
    "form",
    { class: "range-form" },
    start.element,
    end.element,
    problem,
    h("button", { class: "button primary" }, "Show"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [a, b] = [start.read(), end.read()];
    if (!(a < b)) {
      problem.textContent = a >= b ? "The end must come after the beginning." : `Times are written as in ${TIME_EXAMPLE}.`;
      return;
    }
    close(form);
    const floor = (time: number): number => Math.floor(time / 900_000) * 900_000;
    store.go({ range: { kind: "fixed", from: floor(a), to: Math.max(floor(b), floor(a) + 900_000) }, page: 0 });
  });
  const isChosen = store.state.range.kind === "fixed" || state.step !== "" || state.zone !== "utc";
  return menu("Time", { key: "custom-range", class: isChosen ? "chosen" : "" }, form, h("div", { class: "range-form" }, stepControl({ store, state }), zoneControl({ store, state })));
}

const STEP_NAMES: Record<Exclude<Step, "">, string> = { "15m": "15 minutes", "1h": "1 hour", "1d": "1 day", "1w": "1 week" };

/** How long the pieces of time in charts are. */
function stepControl({ store, state }: App): HTMLElement {
  const option = (value: Step, label: string, disabled = false): HTMLOptionElement => h("option", { value, disabled, selected: stepOf(state) === value }, label);
  const select = h("select", { "data-key": "step" }, option("", "automatic"), ...STEPS.map((step) => option(step, STEP_NAMES[step], !isStep(step, state.range))));
  select.addEventListener("change", () => {
    close(select);
    store.go({ step: STEPS.find((step) => step === select.value) ?? "" });
  });
  return h("label", {}, "Step", select);
}

function zoneControl({ store, state }: App): HTMLElement {
  const choices: [Zone, string][] = [["utc", "UTC"], ["local", `My time (${localZone()})`]];
  if (state.place.kind === "location" || state.place.kind === "asn") choices.push(["place", `Time of ${state.place.kind === "asn" ? "its country" : shortName(state.place)}`]);
  const select = h("select", { "data-key": "zone" }, ...choices.map(([value, label]) => h("option", { value, selected: state.zone === value }, label)));
  select.addEventListener("change", () => {
    close(select);
    store.go({ zone: ZONES.find((zone) => zone === select.value) ?? "utc" });
  });
  return h("label", {}, "Time zone", select);
}

function zoomOut({ store }: App, range: Extract<Range, { kind: "fixed" }>): HTMLElement {
  const half = Math.max(900_000, Math.round((range.to - range.from) / 2 / 900_000) * 900_000);
  const wider: Range = { kind: "fixed", from: range.from - half, to: Math.min(range.to + half, Math.floor(Date.now() / 900_000) * 900_000) };
  const button = h("button", { type: "button", class: "button", "data-key": "zoom-out", title: "Twice as long a time" }, "Zoom out");
  button.addEventListener("click", () => store.go({ range: wider, page: 0 }));
  return button;
}

/** Which connections count. */
export function switchesControl({ store, state }: App): HTMLElement {
  return h(
    "div",
    { class: "switches" },
    toggle(
      state.dataSet === "quic" ? "Answered only" : "Completed handshakes only",
      state.dataSet === "quic" ? "Leaves out connections that show no answer of the server: their source addresses may be spoofed." : "Leaves out connections that never completed the handshake: their source addresses may be spoofed.",
      state.completed,
      (completed) => store.go({ completed, page: 0 }),
    ),
    state.dataSet === "tcp"
      ? toggle(
          "Known scanners left out",
          "Leaves out connections whose SYN is as ZMap, masscan or Mirai send it (the tags zmap, zmap4, masscan and mirai).",
          state.filters["scanner"] === "false",
          (left) => store.go(filtered(store.state, "scanner", left ? "false" : "")),
        )
      : null,
    state.dataSet === "quic"
      ? null
      : toggle(
          "Only resets before the first response",
          "Resets after the client had acknowledged an answer count as not cut short: many are ordinary ends of idle connections.",
          state.unanswered,
          (unanswered) => store.go({ unanswered, page: 0 }),
        ),
  );
}
