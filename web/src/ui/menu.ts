// A button that opens a small panel; closes by Escape, by a click elsewhere, and after a choice.

import { h, type Child } from "./dom";

const open = new Set<HTMLDetailsElement>();

document.addEventListener("click", (event) => {
  for (const menu of open) if (!menu.contains(event.target as Node)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of open) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

export function menu(label: Child, attributes: { class?: string; key: string; title?: string }, ...children: Child[]): HTMLDetailsElement {
  const { key, title } = attributes;
  const summary = h("summary", { class: "button", "data-key": key, title, "aria-label": title }, label);
  const details = h("details", { class: `menu ${attributes.class ?? ""}` }, summary, h("div", { class: "menu-panel" }, ...children));
  details.addEventListener("toggle", () => (details.open ? open.add(details) : open.delete(details)));
  return details;
}

export const close = (inside: Element): void => {
  const details = inside.closest("details");
  if (details) details.open = false;
};
