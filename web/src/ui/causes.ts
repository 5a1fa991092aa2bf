// What can cause a stage: the words of `cutshort explain`, innocent causes first.

import { stageTerm } from "../app";
import { ANOMALOUS, type Anomalous, stageClass, title } from "../state/stage";
import type { Store } from "../state/store";
import { termLink } from "./controls";
import { h } from "./dom";

export const CAVEAT = "Packets show what was seen, never who did it or why: none of these is proven by the data alone.";

async function one(store: Store, stage: Anomalous, open: boolean): Promise<HTMLElement | null> {
  const term = await stageTerm(stage);
  if (!term) return null;
  return h(
    "details",
    { class: `cause ${stageClass(stage)}`, open },
    h("summary", { "data-key": `cause:${stage}` }, h("span", { class: "swatch" }), title(stage)),
    h("p", {}, term.about, " ", termLink(store, stage, "Definition")),
    h("ul", {}, ...term.causes.map((cause) => h("li", {}, cause))),
  );
}

/** A note on each stage. */
export async function causes(store: Store, stages: readonly Anomalous[] = ANOMALOUS): Promise<HTMLElement> {
  const wide = matchMedia("(min-width: 720px)").matches;
  const notes = await Promise.all(stages.map((stage) => one(store, stage, wide)));
  return h(
    "section",
    { class: "causes", "aria-labelledby": "causes-title" },
    h("h2", { id: "causes-title" }, "What can cause this"),
    h("p", { class: "muted" }, CAVEAT),
    h("div", { class: "cause-grid" }, ...notes),
  );
}
