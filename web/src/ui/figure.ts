// A chart with its heading, tools, table and files.

import { h, newId, type Child } from "./dom";
import { download, FORMATS, type Format, NUMBERS, PICTURES, type Provenance, saveAs } from "./download";
import type { Store } from "../state/store";
import { parseState, type Range } from "../state/url";
import { close, menu } from "./menu";
import { dataTable, type Table } from "./table";
import { zoneName } from "./zone";

export interface FigureSpec {
  /** Keeps whether the table is open. */
  store: Store;
  key: string;
  title: string;
  sub?: Child;
  body: HTMLElement;
  table: () => Table;
  source: Provenance;
  tools?: readonly Child[];
  /** Between heading and chart. */
  legend?: Child;
  below?: Child;
  /** The body has its table already. */
  tabular?: boolean;
  /** Which files there are; all if not given. */
  formats?: readonly Format[];
  /** The same numbers as the server makes them, as an Apache Parquet file. */
  parquet?: () => Promise<Blob>;
  /** Where the chart can be shown within other pages. */
  embed?: (range: Range) => string;
}

const LABELS: Record<Format, string> = {
  csv: "CSV",
  json: "JSON",
  png: "PNG",
  "png-wide": "PNG 16:9",
  "png-square": "PNG square",
  svg: "SVG",
};

export function figure(spec: FigureSpec): HTMLElement {
  const id = newId("figure");
  const tableId = `${id}-table`;
  const place = h("div", { id: tableId, hidden: true });
  const tableButton = h(
    "button",
    { type: "button", class: "button", "aria-expanded": "false", "aria-controls": tableId, "data-key": `table:${spec.key}` },
    "Table",
  );
  const openKey = `table-${spec.key}`;
  const toggle = (): void => {
    place.hidden = !place.hidden;
    tableButton.setAttribute("aria-expanded", String(!place.hidden));
    if (!place.hidden && !place.firstChild) place.append(dataTable(`${spec.title}, as a table`, spec.table()));
  };
  tableButton.addEventListener("click", () => {
    toggle();
    spec.store.keepOpen(openKey, !place.hidden);
  });
  if (!spec.tabular && spec.store.state.open.includes(openKey)) toggle();
  const file = (format: Format): HTMLElement => {
    const button = h("button", { type: "button", class: "button", "data-format": format }, LABELS[format]);
    button.addEventListener("click", () => {
      close(button);
      void download(format, spec.source, spec.table(), element);
    });
    return button;
  };
  const files = (heading: string, formats: readonly Format[], more: HTMLElement | null = null): HTMLElement | null => {
    const own = formats.filter((format) => (spec.formats ?? FORMATS).includes(format));
    return own.length ? h("div", {}, h("h3", {}, heading), h("div", { class: "share-files" }, ...own.map(file), more)) : null;
  };
  const parquet = spec.parquet ? parquetButton(spec.parquet, spec.source) : null;
  const share = [linkPart(spec.source), files("Picture", PICTURES), files("Numbers", NUMBERS, parquet), spec.embed ? embedPart(spec.embed, spec) : null, citePart(spec.source)];
  const tools = h(
    "div",
    { class: "tools" },
    ...(spec.tools ?? []),
    spec.tabular ? null : tableButton,
    menu("Share", { key: `share:${spec.key}`, class: "wide share" }, ...share),
  );
  const element = h(
    "figure",
    { class: "figure", "aria-labelledby": id },
    h("div", { class: "figure-head" }, h("div", {}, h("h2", { id }, spec.title), spec.sub ? h("p", { class: "sub" }, spec.sub) : null), tools),
    spec.legend,
    spec.body,
    spec.below,
    place,
  );
  return element;
}

function parquetButton(made: () => Promise<Blob>, source: Provenance): HTMLElement {
  const button = h("button", { type: "button", class: "button", "data-format": "parquet" }, "Parquet");
  button.addEventListener("click", () => {
    made().then(
      (blob) => {
        close(button);
        saveAs("parquet", source, blob);
      },
      (error: unknown) => (button.textContent = error instanceof Error ? error.message : "Parquet failed"),
    );
  });
  return button;
}

/** A text to take along, with a button that copies it. */
function copyable(label: string, text: string): HTMLElement {
  const area = h("textarea", { readonly: true, rows: 4, "aria-label": label, spellcheck: "false" });
  area.value = text;
  area.addEventListener("focus", () => area.select());
  const button = h("button", { type: "button", class: "button" }, "Copy");
  button.addEventListener("click", () => {
    area.select();
    void navigator.clipboard?.writeText(text).then(() => (button.textContent = "Copied"));
  });
  return h("div", { class: "copyable" }, h("p", {}, h("strong", {}, label)), area, button);
}

/** Addresses of what is shown: of this time, and, where the page moves on with time, of whatever is the latest. */
function linkPart(source: Provenance): HTMLElement {
  const link = (label: string, address: string): HTMLElement => {
    const field = h("input", { type: "text", readonly: true, "aria-label": label, value: address });
    field.addEventListener("focus", () => field.select());
    const button = h("button", { type: "button", class: "button" }, "Copy");
    button.addEventListener("click", () => {
      field.select();
      void navigator.clipboard?.writeText(address).then(() => (button.textContent = "Copied"));
    });
    return h("div", { class: "share-link" }, h("span", { class: "muted" }, label), field, button);
  };
  const isMoving = parseState(location.search).range.kind === "last";
  return h("div", {}, h("h3", {}, "Link"), link("This period", fixedAddress(source)), isMoving ? link("Always the latest", location.href) : null);
}

/** A frame that moves on with time, where the page's time does, or holds still. */
function embedPart(address: (range: Range) => string, { title, source }: FigureSpec): HTMLElement {
  const frame = (range: Range): string =>
    `<iframe src="${address(range).replaceAll("&", "&amp;")}" title="${title}" width="720" height="440" loading="lazy"></iframe>`;
  const { range } = parseState(location.search);
  const still: Range = { kind: "fixed", from: source.from, to: source.to };
  return h(
    "div",
    {},
    h("p", { class: "muted" }, "For a fixed theme, add &theme=light or &theme=dark to the address."),
    range.kind === "last" ? copyable("Embed, always the latest", frame(range)) : null,
    copyable(`Embed, ${source.period} ${zoneName()}`, frame(still)),
  );
}

export function citation(source: Provenance, address: string, today: Date): string {
  const what = [source.selection, ...source.switches].join(", ");
  const note = source.simulated ? " Simulated data." : "";
  const day = today.toISOString().slice(0, 10);
  return `“${source.title}: ${what}, ${source.period} ${zoneName()}.” cutshort at ${new URL(address).host}, retrieved ${day}.${note} ${address}`;
}

const citePart = (source: Provenance): HTMLElement => copyable("Cite", citation(source, fixedAddress(source), new Date()));

/** The address with the time as it is now: what is cited must not move on. */
export function fixedAddress(source: Provenance): string {
  const url = new URL(location.href);
  url.searchParams.delete("range");
  url.searchParams.set("from", `${new Date(source.from).toISOString().slice(0, 16)}Z`);
  url.searchParams.set("to", `${new Date(source.to).toISOString().slice(0, 16)}Z`);
  return url.href.replaceAll("%3A", ":").replaceAll("%2C", ",");
}
