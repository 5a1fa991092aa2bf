// A figure's charts as one picture that stands for itself: title, selection, time, legend and source are part of it.

import { s } from "./dom";
import type { Provenance } from "./download";
import { show, type Table } from "./table";

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity",
  "font-size", "font-weight", "text-anchor", "visibility",
] as const;
const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif";
const MARGIN = 24;

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
      if (value && value !== "none" || name === "fill" || name === "stroke") element.setAttribute(name, value);
    }
    element.removeAttribute("class");
  });
  copy.querySelectorAll("[visibility=hidden]").forEach((element) => element.remove());
  copy.removeAttribute("class");
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

function legend(figure: HTMLElement, y: number, fill: string): SVGGElement {
  const group = s("g");
  let x = MARGIN;
  for (const entry of figure.querySelectorAll<HTMLElement>("[data-legend]")) {
    const colour = getComputedStyle(entry).getPropertyValue("--c").trim();
    group.append(s("rect", { x, y: y - 9, width: 10, height: 10, rx: 2, fill: colour }), words(entry.dataset["legend"] ?? "", x + 15, y, 12, fill));
    x += 32 + (entry.dataset["legend"]?.length ?? 0) * 7;
  }
  return group;
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
    svg.append(words(String(row[0] ?? ""), 0, y, 12, text), s("rect", { x: NAME, y: y - 9, width: length, height: 9, fill: bar }));
    svg.append(...numbers.map(({ at, as }, of) => right(show(row[at] ?? null, as), of, y, text)));
  });
  return svg;
}

/** Everything that a figure shows, as one SVG; a figure without charts by its table. */
export function newPicture(figure: HTMLElement, source: Provenance, table: Table, geo: string): SVGSVGElement {
  const drawn = [...figure.querySelectorAll<SVGSVGElement>("svg.chart")];
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
  const titled = charts.some((chart) => chart.dataset["title"]);
  const head = 106 + (titled ? 18 : 0);
  const width = Math.max(560, ...boxes.map((box) => box.right - left)) + 2 * MARGIN;
  const height = head + Math.max(...boxes.map((box) => box.bottom - top)) + 60;
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, "font-family": FONT });
  svg.append(
    s("title", {}, `${source.title}: ${source.selection}`),
    s("rect", { width, height, fill: paper }),
    words(source.title, MARGIN, 36, 18, text, 600),
    words([source.selection, ...source.switches, `${source.period} UTC`].join(" · "), MARGIN, 58, 13, muted),
    legend(figure, 86, text),
  );
  charts.forEach((chart, at) => {
    const [x, y] = [(boxes[at]?.left ?? 0) - left + MARGIN, (boxes[at]?.top ?? 0) - top + head];
    const copy = standalone(chart);
    copy.setAttribute("x", String(x));
    copy.setAttribute("y", String(y));
    if (chart.dataset["title"]) svg.append(words(chart.dataset["title"], x, y - 6, 13, text, 600));
    svg.append(copy);
  });
  const note = source.simulated ? "SIMULATED DATA · " : "";
  svg.append(
    words(`${note}Source: cutshort at ${location.host}, ${new Date().toISOString().slice(0, 10)}`, MARGIN, height - 32, 11, muted),
    words(`Places and networks: ${geo}`, MARGIN, height - 16, 11, muted),
  );
  return svg;
}

export const svgText = (svg: SVGSVGElement): string => new XMLSerializer().serializeToString(svg);
