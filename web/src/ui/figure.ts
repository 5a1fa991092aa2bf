// A chart with its heading, tools, table and files.

import { h, newId, type Child } from "./dom";
import { download, FORMATS, type Format, type Provenance } from "./download";
import { parseState, type Range } from "../state/url";
import { close, menu } from "./menu";
import { dataTable, type Table } from "./table";

export interface FigureSpec {
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
  /** Where the chart can be shown within other pages. */
  embed?: (range: Range) => string;
}

const LABELS: Record<Format, string> = {
  csv: "CSV, the numbers",
  json: "JSON, the numbers",
  svg: "SVG, the picture",
  png: "PNG, the picture",
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
  tableButton.addEventListener("click", () => {
    place.hidden = !place.hidden;
    tableButton.setAttribute("aria-expanded", String(!place.hidden));
    if (!place.hidden && !place.firstChild) place.append(dataTable(`${spec.title}, as a table`, spec.table()));
  });
  const files = (spec.formats ?? FORMATS).map((format) => {
    const button = h("button", { type: "button", "data-format": format }, LABELS[format]);
    button.addEventListener("click", () => {
      close(button);
      void download(format, spec.source, spec.table(), element);
    });
    return button;
  });
  const share = [...(spec.embed ? [embedPart(spec.embed, spec)] : []), citePart(spec.source)];
  const tools = h(
    "div",
    { class: "tools" },
    ...(spec.tools ?? []),
    spec.tabular ? null : tableButton,
    menu("Download", { key: `download:${spec.key}` }, ...files),
    menu("Cite", { key: `cite:${spec.key}`, class: "wide" }, ...share),
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

/** A frame that moves on with time, where the page's time does, or holds still. */
function embedPart(address: (range: Range) => string, { title, source }: FigureSpec): HTMLElement {
  const frame = (range: Range): string =>
    `<iframe src="${address(range).replaceAll("&", "&amp;")}" title="${title}" width="720" height="440" loading="lazy"></iframe>`;
  const { range } = parseState(location.search);
  const still: Range = { kind: "fixed", from: source.from, to: source.to };
  return h(
    "div",
    {},
    range.kind === "last" ? copyable("In another page, moving on with time", frame(range)) : null,
    copyable(`In another page, always ${source.period} UTC`, frame(still)),
  );
}

export function citation(source: Provenance, address: string, today: Date): string {
  const what = [source.selection, ...source.switches].join(", ");
  const note = source.simulated ? " Simulated data." : "";
  const day = today.toISOString().slice(0, 10);
  return `“${source.title}: ${what}, ${source.period} UTC.” cutshort at ${new URL(address).host}, retrieved ${day}.${note} ${address}`;
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
