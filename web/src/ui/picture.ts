// A figure's charts as one picture that stands for itself: title, selection, time, legend and source are part of it.

import { s } from "./dom";
import type { Provenance } from "./download";
import { show, type Table } from "./table";
import { zoneName } from "./zone";

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity",
  "font-size", "font-weight", "text-anchor", "visibility",
] as const;
const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif";
const MARGIN = 24;

let kept: CanvasRenderingContext2D | null = null;
/** Measures texts and mixes colours. */
const canvas = (): CanvasRenderingContext2D | null => (kept ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true }));

/** A colour that every program reads: mixed ones are what they look like on the page's surface. */
function opaque(colour: string): string {
  const brush = canvas();
  if (!brush || !/^(color|oklab|oklch|lab|lch)\(/.test(colour)) return colour;
  for (const fill of [ink().paper, colour]) {
    brush.fillStyle = fill;
    brush.fillRect(0, 0, 1, 1);
  }
  const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}

function widthOf(text: string, size: number): number {
  const brush = canvas();
  if (!brush) return text.length * size * 0.6;
  brush.font = `${size}px ${FONT}`;
  return brush.measureText(text).width;
}

/** Lines of a text that are no wider, in pixels, broken between words or, where there are any, between parts that end with `;`. */
function wrapped(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  for (const part of text.split(text.includes("; ") ? /(?<=;) / : " ")) {
    const longer = lines.length ? `${lines.at(-1)} ${part}` : part;
    if (lines.length && widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(...(widthOf(part, size) > width && part.includes(" ") ? wrapped(part, width, size) : [part]));
  }
  return lines;
}

function cut(text: string, width: number, size: number): string {
  let end = text.length;
  while (end > 1 && widthOf(text.slice(0, end), size) > width) end--;
  return end < text.length ? `${text.slice(0, end - 1)}…` : text;
}

/** A copy whose looks do not depend on the page's style sheet. */
function standalone(chart: SVGSVGElement): SVGSVGElement {
  const copy = chart.cloneNode(true) as SVGSVGElement;
  const [originals, copies] = [chart.querySelectorAll("*"), copy.querySelectorAll("*")];
  copies.forEach((element, at) => {
    const original = originals[at];
    if (!original) return;
    const style = getComputedStyle(original);
    for (const name of STYLES) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none" || name === "fill" || name === "stroke") element.setAttribute(name, opaque(value));
    }
    element.removeAttribute("class");
  });
  copy.querySelectorAll("[visibility=hidden]").forEach((element) => element.remove());
  copy.removeAttribute("class");
  // Labels of axes may stand out over the edge, as on the page.
  copy.setAttribute("overflow", "visible");
  return copy;
}

interface Ink {
  paper: string;
  text: string;
  muted: string;
  bar: string;
}

function ink(): Ink {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return { paper: value("--surface"), text: value("--ink"), muted: value("--muted"), bar: value("--any") };
}

const words = (text: string, x: number, y: number, size: number, fill: string, weight = 400): SVGTextElement =>
  s("text", { x, y, "font-size": size, fill, "font-weight": weight }, text);

const ROW = 18;

/** The entries of a figure's legends, in as many rows as they need. */
function legend(figure: HTMLElement, top: number, width: number, fill: string): { group: SVGGElement; rows: number } {
  const group = s("g");
  let [x, y] = [MARGIN, top];
  for (const entry of figure.querySelectorAll<HTMLElement>("[data-legend]")) {
    const text = entry.dataset["legend"] ?? "";
    const wide = 22 + widthOf(text, 12);
    if (x > MARGIN && x + wide > width - MARGIN) [x, y] = [MARGIN, y + ROW];
    group.append(sample(entry, x, y), words(text, x + 22, y, 12, fill));
    x += wide + 18;
  }
  return { group, rows: group.childElementCount ? (y - top) / ROW + 1 : 0 };
}

/** What an entry of a legend looks like: a colour, the edge of one, or a dashed line. */
function sample(entry: HTMLElement, x: number, y: number): SVGElement {
  const dash = entry.querySelector(".dash");
  if (dash) return s("path", { d: `M${x},${y - 4}h18`, stroke: opaque(getComputedStyle(dash).borderTopColor), "stroke-width": 1.5, "stroke-dasharray": "4 3" });
  const swatch = entry.querySelector(".swatch, .key-colour") ?? entry;
  const style = getComputedStyle(swatch);
  if (swatch.classList.contains("hollow")) return s("rect", { x: x + 1, y: y - 8, width: 14, height: 8, fill: "none", "stroke-width": 1.5, "stroke-dasharray": "4 3", stroke: opaque(style.getPropertyValue("--c").trim()) });
  return s("rect", { x, y: y - 9, width: 16, height: 10, rx: 2, fill: opaque(style.backgroundColor) });
}

const LINE = 22;
const NAME = 330;
const NUMBER = 104;
const BAR = 130;

/** A list as a picture: names, numbers, and a bar for the first share. */
function listPicture(table: Table): SVGSVGElement {
  const { text, muted, bar } = ink();
  const numbers = table.columns.map(({ as }, at) => ({ as, at })).filter(({ as }) => as !== undefined);
  const share = numbers.find(({ as }) => as === "percent")?.at ?? -1;
  const most = Math.max(0.01, ...table.rows.map((row) => Number(row[share]) || 0));
  const width = NAME + BAR + numbers.length * NUMBER;
  const height = (table.rows.length + 1) * LINE;
  const right = (content: string, at: number, y: number, fill: string, weight = 400): SVGTextElement => {
    const element = words(content, NAME + BAR + (at + 1) * NUMBER, y, 12, fill, weight);
    element.setAttribute("text-anchor", "end");
    return element;
  };
  const svg = s("svg", { class: "chart", width, height, viewBox: `0 0 ${width} ${height}` });
  svg.append(words(table.columns[0]?.label ?? "", 0, 14, 12, muted, 600), ...numbers.map(({ at }, of) => right(table.columns[at]?.label ?? "", of, 14, muted, 600)));
  table.rows.forEach((row, line) => {
    const y = (line + 1) * LINE + 14;
    const length = ((BAR - 10) * (Number(row[share]) || 0)) / most;
    svg.append(words(cut(String(row[0] ?? ""), NAME - 10, 12), 0, y, 12, text), s("rect", { x: NAME, y: y - 9, width: length, height: 9, fill: bar }));
    svg.append(...numbers.map(({ at, as }, of) => right(show(row[at] ?? null, as), of, y, text)));
  });
  return svg;
}

/** Everything that a figure shows, as one SVG; a figure without charts by its table. */
export function newPicture(figure: HTMLElement, source: Provenance, table: Table, geo: string): SVGSVGElement {
  // The chart of a term that was opened is not the list.
  const drawn = [...figure.querySelectorAll<SVGSVGElement>("svg.chart")].filter((chart) => !chart.closest(".term-detail"));
  if (drawn.length) return framed(figure, drawn, source, geo);
  const list = listPicture(table);
  figure.append(list);
  try {
    return framed(figure, [list], source, geo);
  } finally {
    list.remove();
  }
}

function framed(figure: HTMLElement, charts: readonly SVGSVGElement[], source: Provenance, geo: string): SVGSVGElement {
  const { paper, text, muted } = ink();
  const boxes = charts.map((chart) => chart.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const width = Math.max(560, ...boxes.map((box) => box.right - left)) + 2 * MARGIN;
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", width, "font-family": FONT });
  const back = s("rect", { width, fill: paper });
  svg.append(s("title", {}, `${source.title}: ${source.selection}`), back);
  let y = 36;
  const write = (lines: readonly string[], size: number, fill: string, weight = 400): void => {
    for (const line of lines) {
      svg.append(words(line, MARGIN, y, size, fill, weight));
      y += size + 6;
    }
  };
  const fit = (said: string, size: number): string[] => wrapped(said, width - 2 * MARGIN, size);
  write(fit(source.title, 18), 18, text, 600);
  write(fit([source.selection, ...source.switches, `${source.period} ${zoneName()}`].join(" · "), 13), 13, muted);
  write(fit(figure.querySelector(".sub")?.textContent ?? "", 12), 12, muted);
  const { group, rows } = legend(figure, y + 8, width, text);
  svg.append(group);
  y += rows * ROW + 16 + Math.max(...charts.map(({ dataset }) => (dataset["note"] ? 34 : dataset["title"] ? 18 : 0)));
  charts.forEach((chart, at) => {
    const [x, from] = [(boxes[at]?.left ?? 0) - left + MARGIN, (boxes[at]?.top ?? 0) - top + y];
    const { title, note } = chart.dataset;
    const wide = boxes[at]?.width ?? width;
    const copy = standalone(chart);
    copy.setAttribute("x", String(x));
    copy.setAttribute("y", String(from));
    if (title) svg.append(words(cut(title, wide, 13.5), x, from - (note ? 22 : 6), 13, text, 600));
    if (note) svg.append(words(cut(note, wide, 12), x, from - 6, 12, muted));
    svg.append(copy);
  });
  y += Math.max(...boxes.map((box) => box.bottom - top)) + 24;
  const notes = [...figure.querySelectorAll(".mark-list li")].map((item, at) => `${at + 1}. ${item.textContent}`);
  const others = [...figure.querySelectorAll(".cut")].map((note) => note.textContent ?? "");
  for (const note of [...notes, ...others]) write(fit(note, 12), 12, muted);
  y += notes.length + others.length ? 6 : 0;
  write(fit(`${source.simulated ? "SIMULATED DATA · " : ""}Source: cutshort at ${location.host}, ${new Date().toISOString().slice(0, 10)}`, 11), 11, muted);
  write(fit(`Places and networks: ${geo}`, 11), 11, muted);
  for (const element of [svg, back]) element.setAttribute("height", String(y));
  svg.setAttribute("viewBox", `0 0 ${width} ${y}`);
  return svg;
}

/** Draws a figure at a width, for what is made of it. */
export async function drawnAt<T>(figure: HTMLElement, width: number, make: () => T): Promise<T> {
  const { style } = figure;
  const before = style.cssText;
  style.width = `${width}px`;
  style.minWidth = style.width;
  try {
    // Charts follow their width a frame later.
    for (let frames = 0; frames < 3; frames++) await new Promise((resolve) => requestAnimationFrame(resolve));
    return make();
  } finally {
    style.cssText = before;
  }
}

/** A picture with space around it, so that it has a shape: width by height. */
export function padded(svg: SVGSVGElement, ratio: number): SVGSVGElement {
  const [width, height] = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height"))];
  const [wide, high] = width / height > ratio ? [width, width / ratio] : [height * ratio, height];
  const [x, y] = [(width - wide) / 2, (height - high) / 2];
  for (const [name, value] of [["width", wide], ["height", high], ["viewBox", `${x} ${y} ${wide} ${high}`]] as const) svg.setAttribute(name, String(value));
  for (const [name, value] of [["x", x], ["y", y], ["width", wide], ["height", high]] as const) svg.querySelector(":scope > rect")?.setAttribute(name, String(value));
  return svg;
}

export const svgText = (svg: SVGSVGElement): string => new XMLSerializer().serializeToString(svg);
