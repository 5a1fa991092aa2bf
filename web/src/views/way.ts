// The way of the data, from servers to numbers: which step has seen nothing yet, and what to do.

import type { Status } from "../api/wire";
import { type Child, h } from "../ui/dom";
import { waysIn } from "../ui/empty";
import { bytes, count, many } from "../ui/format";
import { isLate } from "./servers";

type State = "good" | "none" | "wait" | "bad" | "idle";

export interface Step {
  name: string;
  state: State;
  text: string;
  todo?: Child;
}

export const wayOf = (status: Status): Step[] => [delivery(status), packets(status), windows(status), connections(status)];

const hasPackets = ({ store, windows }: Status): boolean => store.packets > 0 || windows.done > 0;

function delivery(status: Status): Step {
  const name = "Servers deliver";
  const live = status.nodes.filter((node) => node.live).map((node) => node.name);
  const late = status.nodes.filter((node) => node.live && isLate(node)).map((node) => node.name);
  if (late.length) return { name, state: "bad", text: `${listed(late)} ${late.length === 1 ? "is" : "are"} late.`, todo: h("p", {}, h("code", {}, "cutshort doctor"), " there tells whether it runs, and whether this server can be reached.") };
  if (live.length) return { name, state: "good", text: `${listed(live)} ${live.length === 1 ? "delivers" : "deliver"}.` };
  if (hasPackets(status)) return { name, state: "idle", text: "None has delivered to this one since it began. What is here came before, from captures, or another way." };
  return { name, state: "none", text: "Nothing has reached this server yet, from no server and no capture.", todo: waysIn() };
}

const MOST_NAMED = 3;
const listed = (names: readonly string[]): string => (names.length > MOST_NAMED ? many(names.length, "server") : names.join(", "));

function packets(status: Status): Step {
  const name = "Packets come in";
  const { store, nodes } = status;
  if (hasPackets(status)) return { name, state: "good", text: `${count(store.packets)} packets in ${count(store.segments)} segments, ${bytes(store.packetBytes)}` };
  if (!nodes.some((node) => node.live)) return { name, state: "none", text: "Waits for a server or a capture." };
  const todo = h("p", {}, h("code", {}, "cutshort doctor"), " on the server tells why: sampling rules that are not loaded, a wrong interface or group, or nobody who connects.");
  return { name, state: "bad", text: "What is delivered has no packet in it.", todo };
}

function windows(status: Status): Step {
  const name = "Windows are computed";
  const { done, pending, trouble } = status.windows;
  const waiting = pending ? `${count(pending)} still to do` : "none to do";
  if (done > 0) return { name, state: trouble ? "bad" : pending ? "wait" : "good", text: `${count(done)} windows of 15 minutes, ${waiting}`, todo: trouble };
  if (hasPackets(status)) return { name, state: trouble ? "bad" : "wait", text: "The first window is computed 30 s after its end: quarter past, half past and so on.", todo: trouble };
  return { name, state: trouble ? "bad" : "none", text: "Waits for packets.", todo: trouble };
}

function connections({ windows }: Status): Step {
  const name = "Connections are counted";
  if (windows.connections > 0) return { name, state: "good", text: `${count(windows.connections)} connections` };
  if (windows.done === 0) return { name, state: "none", text: "Waits for results." };
  return {
    name,
    state: "bad",
    text: "There are results, but no connection in them.",
    todo: "Packets from clients to the server are needed, from the SYN on: see what was left out.",
  };
}

const STATES: Record<State, string> = { good: "works", none: "nothing yet", wait: "in progress", bad: "trouble", idle: "not now" };

export const wayList = (status: Status): HTMLElement =>
  h(
    "ol",
    { class: "steps" },
    ...wayOf(status).map(({ name, state, text, todo }) =>
      h("li", { class: `step ${state}` }, h("h3", {}, name, h("span", { class: "step-state" }, STATES[state])), h("p", {}, text), todo ? h("div", { class: "todo" }, todo) : null),
    ),
  );
