// Tables: what a chart shows, as rows; the source of CSV and JSON as well.

import { type Child, h } from "./dom";
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

/** A short table that shows its numbers on a narrow screen, too. */
export function shortTable(caption: string, { columns, rows }: Table): HTMLElement {
  const heads = columns.map(({ label, as }): StackedHead => ({ label, class: as ? "number" : "" }));
  const lines = rows.map((row) => {
    const [first = "", ...others] = row.map((cell, at) => show(cell, columns[at]?.as));
    return stackedRow(heads, [first], ...others.map((text) => [text]));
  });
  return h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": caption }, stackedTable("", caption, heads, lines));
}

export interface StackedHead {
  label: string;
  /** Class of its cells. */
  class?: string;
  title?: string;
  /** Instead of the label, as a button that sorts. */
  content?: Child;
  sort?: "ascending" | "descending" | null;
}

/** A table whose lines are cards on a narrow screen, in which each cell has its label. Roles are said, because browsers take nothing for a table that is not laid out as one. */
export const stackedTable = (kind: string, caption: string, heads: readonly StackedHead[], rows: readonly HTMLElement[]): HTMLElement =>
  h(
    "table",
    { class: `data stacked ${kind}`, role: "table" },
    h("caption", { class: "sr-only" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads.map((head) => h("th", { scope: "col", role: "columnheader", class: head.class, title: head.title, "aria-sort": head.sort }, head.content ?? head.label)))),
    h("tbody", { role: "rowgroup" }, ...rows),
  );

/** A line of it; the first cell heads it. */
export const stackedRow = (heads: readonly StackedHead[], first: readonly Child[], ...cells: readonly (readonly Child[])[]): HTMLElement =>
  h("tr", { role: "row" }, h("th", { scope: "row", role: "rowheader" }, ...first), ...cells.map((cell, at) => h("td", { role: "cell", class: heads[at + 1]?.class, "data-label": heads[at + 1]?.label }, h("div", {}, ...cell))));

/** A table that opens, and is made when it does. */
export function tabled(caption: string, table: () => Table): HTMLDetailsElement {
  const details = h("details", { class: "tabled" }, h("summary", {}, "Table"));
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(dataTable(caption, table())));
  return details;
}
