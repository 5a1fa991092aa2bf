// The way of the data, from servers to numbers: which step has seen nothing yet, and what to do.

import type { Status } from "../api/wire";
import { type Child, h } from "../ui/dom";
import { waysIn } from "../ui/empty";
import { bytes, count, many } from "../ui/format";
import { hasData, isLate } from "./servers";

type State = "good" | "none" | "wait" | "bad" | "idle";

export interface Step {
  name: string;
  state: State;
  text: string;
  todo?: Child;
}

export const wayOf = (status: Status): Step[] => [delivery(status), packets(status), windows(status), connections(status)];

function delivery(status: Status): Step {
  const name = "Agents connected";
  const live = status.nodes.filter((node) => node.live).map((node) => node.name);
  const late = status.nodes.filter((node) => node.live && isLate(node)).map((node) => node.name);
  if (late.length) return { name, state: "bad", text: `${listed(late)} ${late.length === 1 ? "is" : "are"} late.`, todo: h("p", {}, h("code", {}, "cutshort doctor"), " on that host tells whether it runs and whether it can reach this server.") };
  if (live.length) return { name, state: "good", text: `${listed(live)} ${live.length === 1 ? "delivers" : "deliver"}.` };
  if (hasData(status)) return { name, state: "idle", text: "No agent has connected since this server started. Existing data was imported or received earlier." };
  return { name, state: "none", text: "No data received yet, from agents or imports.", todo: waysIn() };
}

const MOST_NAMED = 3;
const listed = (names: readonly string[]): string => (names.length > MOST_NAMED ? many(names.length, "server") : names.join(", "));

function packets(status: Status): Step {
  const name = "Packets received";
  const { store, nodes } = status;
  if (hasData(status)) return { name, state: "good", text: store.packets ? `${count(store.packets)} packets in ${count(store.segments)} segments, ${bytes(store.packetBytes)}` : "Packets have come in; none of clients’ TCP connections is kept." };
  if (!nodes.some((node) => node.live)) return { name, state: "none", text: "Waiting for an agent or an import." };
  const todo = h("p", {}, h("code", {}, "cutshort doctor"), " on that host tells why: sampling rules that are not loaded, a wrong interface or group, or no clients.");
  return { name, state: "bad", text: "Agents are connected, but deliver no packets.", todo };
}

function windows(status: Status): Step {
  const name = "Windows processed";
  const { done, pending, trouble } = status.windows;
  const waiting = pending ? `${count(pending)} pending` : "none pending";
  if (done > 0) return { name, state: trouble ? "bad" : pending ? "wait" : "good", text: `${count(done)} windows of 15 minutes, ${waiting}`, todo: trouble };
  if (hasData(status)) return { name, state: trouble ? "bad" : "wait", text: "The first window is computed 30 s after its end: quarter past, half past and so on.", todo: trouble };
  return { name, state: trouble ? "bad" : "none", text: "Waiting for packets.", todo: trouble };
}

function connections({ windows }: Status): Step {
  const name = "Connections counted";
  if (windows.connections > 0) return { name, state: "good", text: `${count(windows.connections)} connections` };
  if (windows.done === 0) return { name, state: "none", text: "Waiting for results." };
  return {
    name,
    state: "bad",
    text: "There are results, but no connection in them.",
    todo: "Packets from clients to the server are needed, from the SYN on: see what was left out.",
  };
}

const STATES: Record<State, string> = { good: "OK", none: "nothing yet", wait: "in progress", bad: "error", idle: "idle" };

export const wayList = (status: Status): HTMLElement =>
  h(
    "ol",
    { class: "steps" },
    ...wayOf(status).map(({ name, state, text, todo }) =>
      h("li", { class: `step ${state}` }, h("h3", {}, name, h("span", { class: "step-state" }, STATES[state])), h("p", {}, text), todo ? h("div", { class: "todo" }, todo) : null),
    ),
  );
