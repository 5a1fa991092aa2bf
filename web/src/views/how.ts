// How connections end: the way from SYN to end, and the signatures and tags with their texts.

import type { Answer } from "../api/answers";
import { type Asked, narrowed } from "../api/question";
import * as radar from "../api/radar";
import type { Terms } from "../api/wire";
import { type App, cautions, selected, terms } from "../app";
import { type Flow, flowChart, flowKey } from "../charts/flow";
import { type Stage, STAGES, stageClass, title } from "../state/stage";
import { stepOf } from "../state/url";
import { type Child, h } from "../ui/dom";
import { nothing } from "../ui/empty";
import { causes } from "../ui/causes";
import { figure } from "../ui/figure";
import type { Table } from "../ui/table";
import { flowOf } from "./flow";
import { isEmpty, provenance } from "./series";
import { termFigure, type Term } from "./terms";

export async function render(app: App): Promise<Child[]> {
  const asked = selected(app.state);
  const own = stepOf(app.state);
  const step = own ? ([["aggInterval", own]] as const) : [];
  const at = (stage: Stage): Asked => narrowed(asked, { stage });
  const [stages, completed, ends, signatures, tags, texts, notes] = await Promise.all([
    radar.summary("stage", [asked]),
    radar.summary("stage", [{ ...asked, completed: true }]),
    radar.summary("termination", STAGES.map(at)),
    radar.timeseries("signature", [asked], step),
    radar.timeseries("tag", [asked], step),
    terms(),
    causes(app.store).catch(() => null),
  ]);
  const [all] = stages.series;
  if (!all || isEmpty(all)) return [await nothing(app, stages.ranges[0] ?? [0, 0])];
  const flow = flowOf(all, completed.series[0], ends, app.state.dataSet === "quic");
  return [flowFigure(app, stages, flow), signatureFigure(app, signatures, texts), tagFigure(app, tags, texts), notes];
}

function flowFigure(app: App, stages: Answer, flow: Flow): HTMLElement {
  const rows: Table = {
    columns: [{ label: "Step" }, { label: "Still there", as: "percent" }, { label: "Cut short by RST", as: "percent" }, { label: "Cut short by silence", as: "percent" }],
    rows: [
      ...flow.exits.map((exit, at) => [flow.steps[at]?.label ?? "", flow.steps[at]?.share ?? null, exit.reset, exit.timeout]),
      ...flow.ends.map(({ label, share }) => [`End: ${label}`, share, null, null]),
    ],
  };
  return figure({
    store: app.store,
    key: "flow",
    title: "Connection lifecycle: from SYN to close",
    sub: "Shares of all connections. Connections not cut short continue to the end, regardless of how much data they sent.",
    body: flowChart(flow, "How many connections are still there after each step, and how the others ended; the table has the numbers"),
    table: () => rows,
    source: provenance("Connection lifecycle: from SYN to close", app.state, stages),
    legend: flowKey(),
    below: h("div", {}, ...cautions(stages.meta, app.state).map((text) => h("p", { class: "caution" }, text))),
  });
}

function signatureFigure(app: App, answer: Answer, texts: Terms): HTMLElement {
  const all: Term[] = texts.signatures.map((one) => ({
    key: `signature-${one.id}`,
    name: one.name,
    group: one.name,
    note: `Signature ${one.id}, stage ${title(one.stage as Stage)}`,
    class: stageClass(one.stage as Stage),
    depth: 0,
    about: one.about,
    causes: one.causes,
    filter: ["signature", String(one.id)],
  }));
  return termFigure(app, { key: "signatures", title: "Signatures", sub: "Patterns of the last packets, as the paper describes them. A connection has one at most.", answer, terms: all, byShare: true });
}

function tagFigure(app: App, answer: Answer, texts: Terms): HTMLElement {
  const parents = new Map(texts.tags.map((tag) => [tag.name, tag.parent]));
  const depth = (name: string | null | undefined): number => (name ? 1 + depth(parents.get(name)) : -1);
  const all: Term[] = texts.tags.map((tag) => ({
    key: `tag-${tag.name}`,
    name: tag.title,
    group: tag.name,
    note: `Tag ${tag.name}${tag.parent ? `, only with ${tag.parent}` : ""}`,
    class: "stage-any",
    depth: depth(tag.name),
    about: tag.about,
    causes: [],
    filter: ["tag", tag.name],
  }));
  return termFigure(app, { key: "tags", title: "Tags", sub: "Properties of a connection. It can have several, so shares do not add up.", answer, terms: all, byShare: false });
}
