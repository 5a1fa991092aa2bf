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
  const panel = h("div", { class: "menu-panel" }, ...children);
  const details = h("details", { class: `menu ${attributes.class ?? ""}` }, summary, panel);
  details.addEventListener("toggle", () => {
    if (!details.open) return open.delete(details);
    open.add(details);
    keepInside(panel);
  });
  return details;
}

const MARGIN = 8;

/** Moves a panel sideways onto the screen, wherever its button stands. */
function keepInside(panel: HTMLElement): void {
  panel.style.translate = "";
  const { left, right } = panel.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const by = left < MARGIN ? MARGIN - left : Math.min(0, width - MARGIN - right);
  panel.style.translate = `${by}px`;
}

export const close = (inside: Element): void => {
  const details = inside.closest("details");
  if (details) details.open = false;
};
