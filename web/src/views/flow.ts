// Counts into the way from the SYN to the end.

import { type Answer, column, type Groups } from "../api/answers";
import type { Flow } from "../charts/flow";
import { ANOMALOUS, STAGES, stageClass, title } from "../state/stage";

const part = (groups: Groups | undefined, name: string, whole: number): number =>
  groups && whole ? (100 * (column(groups, name).weight[0] ?? 0)) / whole : 0;

/** How many are left at each step, in percent of all. */
export function flowOf(all: Groups, completed: Groups | undefined, ends: Answer, isQuic = false): Flow {
  const whole = all.weight[0] ?? 0;
  const exits = ANOMALOUS.map((stage, at) => {
    const reset = (isQuic ? ["close", "client_gone"] : ["reset", "refused", "unreachable"]).reduce((sum, end) => sum + part(ends.series[at], end, whole), 0);
    // Also where this host closed a connection to a server that was silent.
    return { label: title(stage), class: stageClass(stage), reset, timeout: Math.max(0, part(all, stage, whole) - reset) };
  });
  // Not cut short, and yet the handshake was never completed: the server refused.
  const refused = isQuic ? 0 : Math.max(0, part(all, "no_match", whole) - part(completed, "no_match", whole));
  const labels = isQuic ? ["Initial", "Answer", "Handshake"] : ["SYN", "Handshake", "First message", "More data"];
  let left = 100;
  const steps = exits.map((exit, at) => {
    const step = { label: labels[at] ?? "", share: left };
    left -= exit.reset + exit.timeout + (at === 0 ? refused : 0);
    return step;
  });
  steps.push({ label: "End", share: left });
  const none = ends.series[STAGES.indexOf("no_match")];
  const closed = [
    { label: "Closed (FIN)", share: part(none, "fin", whole) },
    { label: "Still open", share: part(none, "open", whole) },
    { label: "Server's RST", share: Math.max(0, part(none, "server_reset", whole) - refused) },
  ];
  return { steps, exits, ends: closed.filter(({ share }) => share > 0.005) };
}
