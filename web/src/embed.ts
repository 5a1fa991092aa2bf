// One chart for other pages: `embed/stages?place=PT&range=7d` moves on with time, `from` and `to` hold it still.

import "./styles/main.css";
import { shareAt } from "./api/answers";
import { forget, ROOT } from "./api/client";
import * as radar from "./api/radar";
import { named, selected, setZone, switches } from "./app";
import { listMarks, marksOf } from "./charts/marks";
import { metricPhrase, metricTitle } from "./state/stage";
import { formatState, isCounting, parseState, type State, stepOf } from "./state/url";
import { h, swap } from "./ui/dom";
import { percent, range } from "./ui/format";
import { startTheme } from "./ui/theme";
import { comparedChart, comparedLegend, comparedLines, comparison } from "./views/compared";
import { marksOfEvents, SHOWN_EVENTS } from "./views/happened";
import { isEmpty, plainLegend, stageChart, unitText } from "./views/stage-chart";
import { zoneName } from "./ui/zone";

const QUARTER = 900_000;
/** Heading, legend and source around the chart, in pixels; more where they take more lines. */
let around = 128;
/** Of an annotation below it. */
const LINE = 24;
/** Height of the chart at least. */
const LEAST = 140;

let state = parseState(location.search);
const given = state.range;
const kind = location.pathname.split("/").at(-1);
const root = document.getElementById("view");
async function start(root: HTMLElement): Promise<void> {
  await show(root);
  if (given.kind === "last") setInterval(() => void show(root), QUARTER);
}

async function show(root: HTMLElement): Promise<void> {
  forget();
  state = { ...state, range: await radar.concrete(given) };
  await setZone(state).catch(() => undefined);
  try {
    swap(root, ...(await parts()));
    const over = document.documentElement.scrollHeight - innerHeight;
    if (over <= 0 || height() === LEAST) return;
    around += over;
    swap(root, ...(await parts()));
  } catch (error) {
    swap(root, h("p", { role: "alert" }, error instanceof Error ? error.message : String(error)));
  }
}

const parts = (): Promise<HTMLElement[]> => (state.wrong.length ? wrong() : kind === "compare" ? compare() : stages());
const height = (lines = 0): number => Math.max(LEAST, innerHeight - around - lines * LINE);

/** Numbers of something else would be taken for what was asked for. */
const wrong = async (): Promise<HTMLElement[]> => [h("p", { role: "alert" }, `This chart cannot be shown: ${state.wrong.map(({ key, text }) => `“${text}” is not a ${key === "with" ? "place" : key}`).join(", ")}.`)];

async function stages(): Promise<HTMLElement[]> {
  const asked = selected(state);
  const [series, events, { name }] = await Promise.all([radar.stagesOverTime([asked], { step: stepOf(state) }), radar.events(asked, SHOWN_EVENTS).catch(() => []), named(state.place)]);
  const [groups] = series.series;
  const between = series.ranges[0] ?? [0, 0];
  const marks = [...marksOf(series.meta.confidenceInfo.annotations, between), ...marksOfEvents(events, state.place, between, Date.now())].sort((a, b) => a.from - b.from);
  const nothing = h("p", { class: "muted" }, "No connections in this time.");
  const chart = !groups || isEmpty(groups) ? nothing : stageChart(state, series, marks, height(marks.length));
  return [heading("Cut short, by stage", name, between, unitText(isCounting(state), series.step, groups, state.completed && state.dataSet !== "quic")), plainLegend(state), chart, listMarks(marks) ?? h("span"), source(state, series.meta.simulated)];
}

async function compare(): Promise<HTMLElement[]> {
  const compared = await comparison(state);
  const [first] = compared.sums.series;
  const between = compared.series.ranges[0] ?? [0, 0];
  const lines = comparedLines(state, compared);
  const share = first ? `, ${compared.names[0]} ${percent(shareAt(first, state.metric, 0))}` : "";
  const unit = `${unitText(false, compared.series.step)} that are ${metricPhrase(state.metric)}${share}`;
  return [heading(`${metricTitle(state.metric)}, compared`, compared.names.join(", "), between, unit), comparedLegend(lines), comparedChart(compared, lines, height()), source(state, compared.series.meta.simulated)];
}

function heading(title: string, name: string, between: readonly [number, number], unit: string): HTMLElement {
  document.title = `${title}: ${name}`;
  return h(
    "header",
    {},
    h("h1", {}, `${title}: ${name}`),
    h("p", { class: "muted" }, [...switches(state), `${range(...between)} ${zoneName()}`, unit].join(" · ")),
  );
}

function source(state: State, simulated: boolean | undefined): HTMLElement {
  const url = new URL(`./${formatState({ ...state, view: kind === "compare" ? "compare" : "overview" })}`, ROOT);
  return h(
    "footer",
    {},
    simulated ? h("strong", { class: "caution" }, "Simulated data. ") : null,
    "Source: ",
    h("a", { href: url.href, target: "_blank", rel: "noopener" }, `cutshort at ${location.host}`),
  );
}

startTheme(new URLSearchParams(location.search).get("theme"));
if (root) void start(root);
