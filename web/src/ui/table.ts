// Tables: what a chart shows, as rows; the source of CSV and JSON as well.

import { h } from "./dom";
import { count, percent } from "./format";

export type Cell = string | number | null;

export interface TableColumn {
  label: string;
  /** How numbers are shown; `text` is set like a number. Without it the cell is text. */
  as?: "percent" | "count" | "text";
}

export interface Table {
  columns: readonly TableColumn[];
  rows: readonly (readonly Cell[])[];
}

export function show(cell: Cell, as: TableColumn["as"]): string {
  if (cell === null || (typeof cell === "number" && Number.isNaN(cell))) return "–";
  if (typeof cell === "string") return cell;
  return as === "percent" ? percent(cell) : count(cell);
}

export function dataTable(caption: string, table: Table): HTMLElement {
  const head = table.columns.map((column) => h("th", { scope: "col", class: column.as ? "number" : null }, column.label));
  const rows = table.rows.map((row) =>
    h("tr", {}, ...row.map((cell, at) => {
      const as = table.columns[at]?.as;
      const text = show(cell, as);
      return at === 0 ? h("th", { scope: "row" }, text) : h("td", { class: as ? "number" : null }, text);
    })),
  );
  const body = h("table", { class: "data" }, h("caption", { class: "sr-only" }, caption), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
  return h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": caption }, body);
}

/** A table that opens, and is made when it does. */
export function tabled(caption: string, table: () => Table): HTMLDetailsElement {
  const details = h("details", { class: "tabled" }, h("summary", {}, "Table"));
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(dataTable(caption, table())));
  return details;
}
