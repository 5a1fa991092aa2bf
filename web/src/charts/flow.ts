// From the SYN to the end: how many connections are still there at each step, and how the others ended.

import { h, s } from "../ui/dom";
import { percent } from "../ui/format";
import { responsive } from "./frame";

export interface Exit {
  label: string;
  /** Class that gives the colour. */
  class: string;
  /** Parts of all connections, in percent. */
  reset: number;
  timeout: number;
}

export interface Flow {
  /** `SYN`, `Handshake`, ...: before each exit. */
  steps: readonly { label: string; share: number }[];
  /** How connections are cut short after each step. */
  exits: readonly Exit[];
  /** How the others ended. */
  ends: readonly { label: string; share: number }[];
}

const TOP = 58;
const BAND = 130;
const DROP = 62;
const HEIGHT = TOP + BAND + DROP + 76;
const END = 150;
const BEND = 26;
/** Thinner bands, in pixels, would look like more than they are. */
const LEAST = 0.07;

export function flowChart(flow: Flow, label: string): HTMLDivElement {
  const place = responsive(HEIGHT, (width) => (width < 620 ? narrow(flow, width, label) : wide(flow, width, label)));
  place.classList.add("static");
  return place;
}

const px = (share: number): number => (share / 100) * BAND;

function wide(flow: Flow, width: number, label: string): SVGSVGElement {
  const svg = s("svg", { class: "chart flow", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
  const apart = (width - END - 14) / flow.exits.length;
  flow.exits.forEach((exit, at) => {
    const x = 4 + at * apart;
    const share = flow.steps[at]?.share ?? 0;
    const rest = flow.steps[at + 1]?.share ?? 0;
    const bend = x + apart * 0.3;
    svg.append(
      s("rect", { class: "flow-main", x, y: TOP, width: apart + 0.5, height: Math.max(0.5, px(rest)) }),
      ...exitBands(exit, bend, TOP + px(share), px(rest) + TOP, x),
      s("line", { class: "flow-step", x1: x, x2: x, y1: TOP - 4, y2: TOP + px(share) + 2 }),
      s("text", { class: "flow-name", x, y: 18 }, flow.steps[at]?.label ?? ""),
      s("text", { class: "flow-share", x, y: 40 }, percent(share)),
    );
  });
  svg.append(...ends(flow, 4 + flow.exits.length * apart));
  return svg;
}

/** Two bands that leave the main one and bend down: resets, and silence. */
function exitBands(exit: Exit, x: number, low: number, high: number, from: number): SVGElement[] {
  const floor = TOP + BAND + DROP;
  const [reset, timeout] = [px(exit.reset), px(exit.timeout)];
  const band = (top: number, size: number, left: number, kind: string): SVGElement => {
    // One line of that width, which is the same all along the bend.
    const [middle, center] = [top + size / 2, left + size / 2];
    const d = `M${from} ${middle}H${x}C${center} ${middle} ${center} ${middle + BEND} ${center} ${Math.min(floor, middle + 2 * BEND)}V${floor}`;
    return s("path", { class: `flow-exit ${kind} ${exit.class}`, d, "stroke-width": size });
  };
  const left = x + 18;
  const text = [
    s("text", { class: "flow-name", x: left, y: floor + 20 }, `${exit.label} ${percent(exit.reset + exit.timeout)}`),
    s("text", { x: left, y: floor + 38 }, `${percent(exit.reset)} by RST`),
    ...(exit.timeout > 0 ? [s("text", { x: left, y: floor + 55 }, `${percent(exit.timeout)} by silence`)] : []),
  ];
  const silence = Math.max(0, low - high - reset);
  const bands = [reset > LEAST ? band(high, reset, left + Math.max(timeout, 0), "by-reset") : null, silence > LEAST ? band(high + reset, silence, left, "by-silence") : null];
  return [...bands.filter((one) => one !== null), ...text];
}

function ends(flow: Flow, x: number): SVGElement[] {
  let y = TOP;
  let text = TOP + 4;
  return flow.ends.flatMap(({ label, share }) => {
    const height = px(share);
    const middle = y + height / 2 + 4;
    text = Math.max(text + 17, middle);
    const parts = [
      s("rect", { class: "flow-end", x, y, width: 8, height: Math.max(0.5, height - 1) }),
      s("text", { x: x + 14, y: text - 2 }, `${label} ${percent(share)}`),
    ];
    y += height;
    return parts;
  });
}

/** Bars below each other where there is no room for bands. */
function narrow(flow: Flow, width: number, label: string): SVGSVGElement {
  const svg = s("svg", { class: "chart flow", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
  const to = (share: number): number => (share / 100) * width;
  const row = 54;
  flow.exits.forEach((exit, at) => {
    const y = 14 + at * row;
    const rest = flow.steps[at + 1]?.share ?? 0;
    svg.append(
      s("text", { class: "flow-name", x: 0, y }, flow.steps[at]?.label ?? ""),
      s("text", { x: width, y, "text-anchor": "end" }, `${exit.label} ${percent(exit.reset + exit.timeout)}`),
      s("rect", { class: "flow-main", x: 0, y: y + 6, width: to(rest), height: 20 }),
      s("rect", { class: `flow-exit by-reset ${exit.class}`, x: to(rest), y: y + 6, width: to(exit.reset), height: 20 }),
      s("rect", { class: `flow-exit by-silence ${exit.class}`, x: to(rest + exit.reset), y: y + 6, width: to(exit.timeout), height: 20 }),
    );
  });
  const y = 14 + flow.exits.length * row;
  svg.append(s("text", { class: "flow-name", x: 0, y }, "End"));
  let x = 0;
  flow.ends.forEach(({ label: name, share }, at) => {
    svg.append(s("rect", { class: "flow-end", x: to(x), y: y + 6, width: Math.max(0, to(share) - 1), height: 20 }), s("text", { x: 0, y: y + 44 + at * 16 }, `${name} ${percent(share)}`));
    x += share;
  });
  return svg;
}

/** What solid and pale bands are. */
export function flowKey(): HTMLElement {
  const entry = (kind: string, label: string): HTMLElement => h("span", { "data-legend": label }, h("span", { class: `swatch ${kind}` }), label);
  return h("div", { class: "legend" }, entry("ink", "cut short by a RST"), entry("pale", "cut short by silence"));
}
