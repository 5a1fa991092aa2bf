// What is shown, as files: each says what it is, of which selection and time, and where it is from.

import { geoSources } from "../app";
import { drawnAt, newPicture, padded, svgText } from "./picture";
import type { Cell, Table } from "./table";

export interface Provenance {
  title: string;
  selection: string;
  /** `14 to 21 Nov 2026 UTC`. */
  period: string;
  from: number;
  to: number;
  switches: readonly string[];
  simulated: boolean;
}

const iso = (time: number): string => new Date(time).toISOString().replace(".000Z", "Z");

/** Lines about a file's content; `geo` is where places and networks are known from. */
export function about(source: Provenance, geo: string): [string, string][] {
  return [
    ["title", source.title],
    ["selection", [source.selection, ...source.switches].join(", ")],
    ["from", iso(source.from)],
    ["to", iso(source.to)],
    ["source", `cutshort at ${location.host}`],
    ["geo data", geo],
    ["data", source.simulated ? "SIMULATED, not measured" : "measured"],
    ["address", location.href],
    ["downloaded", iso(Date.now())],
  ];
}

const field = (cell: Cell): string => {
  const text = cell === null || (typeof cell === "number" && Number.isNaN(cell)) ? "" : String(cell);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const unit = (as: string | undefined): string => (as === "percent" ? " (%)" : "");

export function csv(source: Provenance, table: Table, geo: string): string {
  const comments = about(source, geo).map(([key, value]) => `# ${key}: ${value}`);
  const head = table.columns.map((column) => field(column.label + unit(column.as))).join(",");
  return [...comments, head, ...table.rows.map((row) => row.map(field).join(",")), ""].join("\r\n");
}

export function json(source: Provenance, table: Table, geo: string): string {
  const columns = table.columns.map((column) => column.label + unit(column.as));
  const rows = table.rows.map((row) => Object.fromEntries(row.map((cell, at) => [columns[at], Number.isNaN(cell) ? null : cell])));
  return `${JSON.stringify({ ...Object.fromEntries(about(source, geo)), rows }, null, 2)}\n`;
}

const slug = (text: string): string =>
  text.normalize("NFD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60);

const fileName = (source: Provenance, extension: string): string =>
  `cutshort-${slug(source.selection)}-${slug(source.title)}-${iso(source.to).slice(0, 10)}.${extension}`;

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Saves what the server has made. */
export const saveAs = (extension: string, source: Provenance, blob: Blob): void => save(fileName(source, extension), blob);

export const NUMBERS = ["csv", "json"] as const;
export const PICTURES = ["png", "png-wide", "png-square", "svg"] as const;
export const FORMATS = [...PICTURES, ...NUMBERS] as const;
export type Format = (typeof FORMATS)[number];

/** Shape of a picture, and how wide its figure is drawn for it, in pixels. */
const SHAPES: Partial<Record<Format, { ratio: number; drawn: number; width: number }>> = {
  "png-wide": { ratio: 16 / 9, drawn: 1000, width: 1920 },
  "png-square": { ratio: 1, drawn: 620, width: 1080 },
};

export async function download(format: Format, source: Provenance, table: Table, figure: HTMLElement): Promise<void> {
  const name = fileName(source, format.replace(/^png-(.*)/, "$1.png"));
  const geo = await geoSources();
  if (format === "csv") return save(name, new Blob([csv(source, table, geo)], { type: "text/csv;charset=utf-8" }));
  if (format === "json") return save(name, new Blob([json(source, table, geo)], { type: "application/json" }));
  const shape = SHAPES[format];
  if (shape) {
    const svg = await drawnAt(figure, shape.drawn, () => newPicture(figure, source, table, geo));
    return save(name, await png(padded(svg, shape.ratio), shape.width));
  }
  const svg = newPicture(figure, source, table, geo);
  if (format === "svg") return save(name, new Blob([svgText(svg)], { type: "image/svg+xml" }));
  save(name, await png(svg, 2 * Number(svg.getAttribute("width"))));
}

/** `width` in pixels. */
async function png(svg: SVGSVGElement, width: number): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svgText(svg)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = Math.round((width * Number(svg.getAttribute("height"))) / Number(svg.getAttribute("width")));
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("This browser cannot make a PNG of the chart."))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}
