// What is known of a connection's packets, as a ladder between client and server.

import type { Connection } from "../api/wire";
import { type Stage, stageClass } from "../state/stage";
import { h, s } from "../ui/dom";

interface Rung {
  label: string;
  /** Not a packet: silence. */
  silent?: boolean;
  end?: boolean;
}

/** What must have come for the verdict to be what it is; not every packet. */
export function rungs(one: Connection, stage: Stage): Rung[] {
  const has = (tag: string): boolean => one.tags.includes(tag);
  const known: Rung[] = [{ label: has("syn_retransmitted") ? "SYN, repeated" : "SYN" }];
  if (stage === "post_ack" || stage === "post_psh" || stage === "later_in_flow") known.push({ label: "ACK: the handshake is complete" });
  if (stage === "post_psh" || stage === "later_in_flow") known.push({ label: "PSH+ACK: the first message" });
  if (stage === "later_in_flow") known.push({ label: "more data" });
  if (has("answered") && stage !== "post_syn") known.push({ label: "ACK of an answer" });
  return [...known, ...lastRungs(one, has)];
}

function lastRungs(one: Connection, has: (tag: string) => boolean): Rung[] {
  const last: Rung[] = has("fin") ? [{ label: "FIN" }] : [];
  if (has("single_rst")) last.push({ label: "RST", end: true });
  if (has("multiple_rsts")) last.push({ label: "RSTs, several", end: true });
  if (has("single_rstack")) last.push({ label: "RST+ACK", end: true });
  if (has("multiple_rstacks")) last.push({ label: "RST+ACKs, several", end: true });
  if (has("rst_and_rstacks")) last.push({ label: "RST and RST+ACK", end: true });
  if (one.termination === "timeout") last.push({ label: "nothing more", silent: true });
  if (one.termination === "fin") last.push({ label: "FIN" });
  if (one.termination === "server_reset") last.push({ label: "RST of the server", silent: true });
  if (one.termination === "open") last.push({ label: "still open", silent: true });
  return last;
}

export function ladder(one: Connection, stage: Stage): HTMLElement {
  const steps = rungs(one, stage);
  const [row, left, right, top] = [34, 26, 234, 30];
  const height = top + steps.length * row + 8;
  const svg = s(
    "svg",
    { class: `ladder ${stageClass(stage)}`, width: 260, height, viewBox: `0 0 260 ${height}`, role: "img", "aria-label": `From the client: ${steps.map(({ label }) => label).join(", then ")}` },
    s("text", { x: left, y: 14, "text-anchor": "middle" }, "client"),
    s("text", { x: right, y: 14, "text-anchor": "middle" }, "server"),
    s("line", { class: "pole", x1: left, x2: left, y1: 20, y2: height }),
    s("line", { class: "pole", x1: right, x2: right, y1: 20, y2: height }),
  );
  steps.forEach(({ label, silent, end }, at) => {
    const y = top + at * row + 14;
    const kind = `rung${silent ? " silent" : ""}${end ? " end" : ""}`;
    svg.append(s("text", { x: (left + right) / 2, y: y - 5, "text-anchor": "middle" }, label), s("line", { class: kind, x1: left, x2: silent ? right : right - 7, y1: y, y2: y }));
    if (!silent) svg.append(s("path", { class: `${kind} head`, d: `M${right - 8} ${y - 4}L${right - 1} ${y}L${right - 8} ${y + 4}Z` }));
  });
  return h("figure", { class: "ladder-box" }, svg, h("figcaption", { class: "muted" }, "What the verdict rests on; repeats are left out"));
}
