// A connection's packets as a ladder between client and server.

import type { Connection, Traced } from "../api/wire";
import { type Stage, stageClass } from "../state/stage";
import { h, s } from "../ui/dom";
import { count } from "../ui/format";

export interface Rung {
  /** When, since the first packet; none where it is not known. */
  seconds?: number;
  label: string;
  /** Not a packet: silence. */
  silent?: boolean;
  /** It cuts the connection short. */
  end?: boolean;
  /** It repeats another or means nothing here. */
  faint?: boolean;
  /** It came from the server. */
  received?: boolean;
}

const LETTERS: Record<string, string> = { F: "FIN", S: "SYN", R: "RST", P: "PSH", A: "ACK", U: "URG", E: "ECE", C: "CWR", N: "NS" };
const ORDER = "SRFPAUECN";

/** `PA` as `PSH+ACK`. */
export const flagNames = (letters: string): string =>
  [...letters].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).map((letter) => LETTERS[letter] ?? letter).join("+");

/** The packets that were taken, and how it ended. */
export function tracedRungs(one: Connection, traced: Traced): Rung[] {
  const packets = traced.packets.map((packet): Rung => {
    const size = packet.payload > 0 ? `, ${count(packet.payload)} bytes` : "";
    const faint = packet.isRepeat || packet.meaning.endsWith("ignored");
    const note = packet.isRepeat ? " (repeated)" : packet.meaning.endsWith("ignored") ? " (ignored)" : "";
    const label = packet.flags ? `${flagNames(packet.flags)}${size}${note}` : packet.meaning;
    return { seconds: packet.seconds, label, faint, received: packet.isReceived, end: packet.flags.includes("R") && !faint };
  });
  return [...packets, ...silence(one)];
}

function silence({ termination }: Connection): Rung[] {
  if (termination === "timeout") return [{ label: "nothing more", silent: true }];
  if (termination === "server_reset") return [{ label: "RST of the server", silent: true }];
  return termination === "open" ? [{ label: "still open", silent: true }] : [];
}

/** Without packets: what must have come for the verdict to be what it is; not every packet. */
export function knownRungs(one: Connection, stage: Stage): Rung[] {
  const has = (tag: string): boolean => one.tags.includes(tag);
  const known: Rung[] = [{ label: has("syn_retransmitted") ? "SYN, repeated" : "SYN" }];
  if (stage === "post_ack" || stage === "post_psh" || stage === "later_in_flow") known.push({ label: "ACK, handshake complete" });
  if (stage === "post_psh" || stage === "later_in_flow") known.push({ label: "PSH+ACK, first message" });
  if (stage === "later_in_flow") known.push({ label: "more data" });
  if (has("answered") && stage !== "post_syn") known.push({ label: "ACK of an answer" });
  if (has("fin") || one.termination === "fin") known.push({ label: "FIN" });
  const resets: Record<string, string> = {
    single_rst: "RST",
    multiple_rsts: "RSTs, several",
    single_rstack: "RST+ACK",
    multiple_rstacks: "RST+ACKs, several",
    rst_and_rstacks: "RST and RST+ACK",
  };
  const last = Object.entries(resets).filter(([tag]) => has(tag));
  return [...known, ...last.map(([, label]): Rung => ({ label, end: true })), ...silence(one)];
}

const ROW = 32;
const TOP = 30;
const RIGHT = 310;

export function ladder(rungs: readonly Rung[], stage: Stage): SVGSVGElement {
  const timed = rungs.some(({ seconds }) => seconds !== undefined);
  const left = timed ? 74 : 24;
  const height = TOP + rungs.length * ROW + 8;
  const both = rungs.some(({ received }) => received);
  const words = rungs.map(({ label, received, silent }) => (both && !silent ? `${label} from the ${received ? "server" : "client"}` : label)).join(", then ");
  const svg = s(
    "svg",
    { class: `ladder ${stageClass(stage)}`, width: RIGHT + 26, height, viewBox: `0 0 ${RIGHT + 26} ${height}`, role: "img", "aria-label": both ? words : `From the client: ${words}` },
    s("text", { x: left, y: 14, "text-anchor": "middle" }, "client"),
    s("text", { x: RIGHT, y: 14, "text-anchor": "middle" }, "server"),
    s("line", { class: "pole", x1: left, x2: left, y1: 20, y2: height }),
    s("line", { class: "pole", x1: RIGHT, x2: RIGHT, y1: 20, y2: height }),
  );
  rungs.forEach((rung, at) => svg.append(...drawn(rung, left, TOP + at * ROW + 14)));
  return svg;
}

function drawn({ seconds, label, silent, end, faint, received }: Rung, left: number, y: number): SVGElement[] {
  const kind = ["rung", silent ? "silent" : "", end ? "end" : "", faint ? "faint" : ""].filter(Boolean).join(" ");
  const parts: SVGElement[] = [
    s("text", { class: faint ? "faint" : null, x: (left + RIGHT) / 2, y: y - 5, "text-anchor": "middle" }, label),
    s("line", { class: kind, x1: received ? left + 7 : left, x2: silent || received ? RIGHT : RIGHT - 7, y1: y, y2: y }),
  ];
  if (seconds !== undefined) parts.push(s("text", { class: "when", x: left - 8, y: y + 4, "text-anchor": "end" }, `${seconds.toFixed(3)} s`));
  const head = received ? `M${left + 8} ${y - 4}L${left + 1} ${y}L${left + 8} ${y + 4}Z` : `M${RIGHT - 8} ${y - 4}L${RIGHT - 1} ${y}L${RIGHT - 8} ${y + 4}Z`;
  if (!silent) parts.push(s("path", { class: `${kind} head`, d: head }));
  return parts;
}

/** The ladder with what it is made of. */
export const ladderBox = (svg: SVGSVGElement, note: string): HTMLElement =>
  h("figure", { class: "ladder-box" }, svg, h("figcaption", { class: "muted" }, note));
