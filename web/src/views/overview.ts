// One selection over time: the share that is cut short, by stage.

import { column, type Groups, shareAt, total } from "../api/answers";
import { ROOT } from "../api/client";
import { collectedPart } from "../api/collected";
import * as radar from "../api/radar";
import type { OverTime } from "../api/radar";
import type { FoundEvent, Meta } from "../api/wire";
import { type App, cautions, selected } from "../app";
import { listMarks, marksOf } from "../charts/marks";
import { ANOMALOUS, type Anomalous, stageClass, title } from "../state/stage";
import { formatState, isChosenByEnd, isCounting, stepOf, unitOf } from "../state/url";
import type { Store } from "../state/store";
import { segmented, termLink } from "../ui/controls";
import { type Child, h } from "../ui/dom";
import { nothing } from "../ui/empty";
import { causes } from "../ui/causes";
import { figure } from "../ui/figure";
import { addedNote, noteMenu } from "../ui/note";
import { later } from "../ui/later";
import { compact, count, percent, points, sampling } from "../ui/format";
import { besideTcp } from "./beside";
import { type Earlier, earlierOf, unlike } from "./earlier";
import { happened, marksOfEvents, SHOWN_EVENTS } from "./happened";
import { inWords } from "./in-words";
import { remarkable } from "./remarkable";
import { incompleteNote, isEmpty, provenance, stageTable, unitText } from "./series";
import { NOT_CUT, stageChart } from "./stage-chart";

export async function render(app: App): Promise<Child[]> {
  const asked = selected(app.state);
  const both = [asked, { ...asked, control: true }];
  // First what is seen first: a browser asks few questions at a time.
  const first = Promise.all([radar.summary("stage", both), radar.stagesOverTime([asked], { step: stepOf(app.state) }), radar.events(asked, SHOWN_EVENTS).catch(() => [])]);
  const more = [later(inWords(app), 150), later(happened(app), 200), later(remarkable(app), 480), later(causes(app.store), 300), later(besideTcp(app), app.state.dataSet === "quic" ? 420 : 0)];
  const [sums, series, events] = await first;
  const [now, before] = sums.series;
  const between = sums.ranges[0] ?? [0, 0];
  if (!now || isEmpty(now)) return [await nothing(app, between)];
  const earlier = earlierOf(asked.range, between, sums.ranges[1], collectedPart(sums.meta.coverage?.[1]));
  return [headline(series.meta, now, before, earlier, app), chart(app, series, events), ...(await Promise.all(more))];
}

function headline(meta: Meta, now: Groups, before: Groups | undefined, earlier: Earlier, { state, store }: App): HTMLElement {
  const share = shareAt(now, "any", 0);
  const comparable = unlike(earlier, before) ? undefined : before;
  const cards = ANOMALOUS.map((stage) => card(stage, now, comparable, state.completed && stage === "post_syn", store));
  const warnings = cautions(meta, state);
  return h(
    "section",
    { class: "headline", "aria-label": "In short" },
    h(
      "div",
      { class: "total" },
      h("p", { class: "big", "data-value": "share" }, percent(share)),
      h("p", { class: "big-label" }, `of ${state.completed ? (state.dataSet === "quic" ? "answered connections" : "completed handshakes") : "connections"} were cut short`),
    isChosenByEnd(state) ? h("p", { class: "muted" }, "Of the connections that have this signature or tag: choose Count to see how many there are.") : null,
      h("p", { class: "change" }, change(share, before, earlier)),
      h("p", { class: "muted volume" }, ...volume(total(now.sampled), total(now.weight))),
      ...warnings.map((text) => h("p", { class: "caution" }, text)),
    ),
    h("div", { class: "cards" }, ...cards),
  );
}

/** How many connections there were by estimate, and how many were sampled. */
function volume(sampled: number, weight: number): Child[] {
  const looked = h("span", { "data-value": "sampled" }, count(sampled));
  const rate = weight / sampled;
  if (rate < 1.005) return [looked, " connections, all of them sampled"];
  return [`About ${compact(weight)} connections; `, looked, ` sampled, ${sampling(rate)}`];
}

function change(share: number, before: Groups | undefined, earlier: Earlier): Child {
  const why = unlike(earlier, before);
  if (why || !before) return h("span", { class: "muted" }, why);
  const then = shareAt(before, "any", 0);
  return h("span", {}, h("strong", {}, points(share - then)), h("span", { class: "muted" }, ` vs ${percent(then)} in ${earlier.dated}`));
}

const SEEN_OF_QUIC: Record<Anomalous, string> = {
  post_syn: "No answer to the first datagram",
  post_ack: "An answer, and no data",
  post_psh: "Handshake done for the client, not confirmed",
  later_in_flow: "",
};
const SEEN: Record<Anomalous, string> = {
  post_syn: "Reset or silent after the SYN",
  post_ack: "Reset or silent after the handshake",
  post_psh: "Reset or silent after the first message",
  later_in_flow: "Reset after more data",
};

function card(stage: Anomalous, now: Groups, before: Groups | undefined, isOut: boolean, store: Store): HTMLElement {
  const share = column(now, stage).share[0] ?? 0;
  const then = before && column(before, stage).share[0];
  return h(
    "div",
    { class: `card ${stageClass(stage)}${isOut ? " out" : ""}` },
    h("h2", {}, termLink(store, stage, title(stage))),
    h("p", { class: "card-value", "data-value": stage }, percent(share)),
    h("p", { class: "card-change" }, isOut ? "not counted with this filter" : then === undefined ? "" : points(share - then)),
    h("p", { class: "card-seen" }, (store.state.dataSet === "quic" ? SEEN_OF_QUIC : SEEN)[stage]),
  );
}

function chart({ store, state }: App, series: OverTime, events: readonly FoundEvent[]): HTMLElement {
  const [groups] = series.series;
  const shown = series.ranges[0] ?? [0, 0];
  const marks = [...marksOf(series.meta.confidenceInfo.annotations, shown), ...marksOfEvents(events, state.place, shown, Date.now())].sort((a, b) => a.from - b.from);
  const unit = segmented("Unit", [{ value: false, label: "%", title: "In percent of connections" }, { value: true, label: "Count" }], isCounting(state), (counts) => store.go({ unit: unitOf(counts, state) }));
  return figure({
    store,
    key: "stages",
    title: "Cut short over time, by stage",
    sub: unitText(isCounting(state), series.step, groups, state.completed && state.dataSet !== "quic"),
    body: stageChart(state, series, marks, 320, (from, to) => store.go({ range: { kind: "fixed", from, to } })),
    table: () => (groups ? stageTable(groups, isCounting(state)) : { columns: [], rows: [] }),
    source: provenance("Connections cut short, by stage", state, series),
    tools: [unit, noteMenu({ store, state }, shown)],
    legend: legend({ store, state }),
    below: h("div", {}, listMarks(marks), addedNote({ store, state }), incompleteNote(series, isCounting(state) ? "counts" : "areas")),
    embed: (range) => new URL(`embed/stages${formatState({ ...state, range })}`, ROOT).href,
  });
}

/** Entries switch series on and off. */
function legend({ store, state }: App): HTMLElement {
  const entry = (stage: Anomalous): HTMLElement => {
    const off = state.hidden.includes(stage);
    const hidden = off ? state.hidden.filter((other) => other !== stage) : [...state.hidden, stage];
    return h(
      "button",
      {
        type: "button", class: stageClass(stage), "aria-pressed": String(!off), "data-key": `legend:${stage}`, "data-legend": off ? null : title(stage),
        title: off ? "Show" : "Hide", onclick: () => store.go({ hidden }, true),
      },
      h("span", { class: "swatch" }),
      title(stage),
    );
  };
  const rest = h("span", { class: stageClass("no_match"), "data-legend": NOT_CUT }, h("span", { class: "swatch" }), NOT_CUT);
  return h("div", { class: "legend" }, ...ANOMALOUS.map(entry), isCounting(state) ? rest : null, h("span", { class: "muted hint" }, "Drag in the chart to zoom in"));
}
