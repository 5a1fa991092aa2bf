// Small controls: segmented choices, switches, links that change the state.

import type { Store } from "../state/store";
import type { State } from "../state/url";
import { h, type Child } from "./dom";

/** A link that changes the state in place; opens as an address of its own in a new tab. */
export function stateLink(store: Store, change: Partial<State>, attributes: { class?: string; key?: string; title?: string; current?: boolean }, ...children: Child[]): HTMLAnchorElement {
  const link = h(
    "a",
    { href: store.href(change), class: attributes.class, title: attributes.title, "data-key": attributes.key, "aria-current": attributes.current ? "page" : null },
    ...children,
  );
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    store.go(change);
  });
  return link;
}

/** Leads to what a term means. */
export const termLink = (store: Store, term: string, ...children: Child[]): HTMLAnchorElement =>
  stateLink(store, { view: "method", term, page: 0 }, { key: `means:${term}`, class: "means", title: "What this means" }, ...children);

export interface Choice<T> {
  value: T;
  label: string;
  title?: string;
}

/** One of a few, all visible. */
export function segmented<T>(name: string, choices: readonly Choice<T>[], value: T, choose: (value: T) => void): HTMLElement {
  const buttons = choices.map((choice) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(choice.value === value),
        title: choice.title,
        "data-key": `${name}:${String(choice.value)}`,
        onclick: () => choose(choice.value),
      },
      choice.label,
    ),
  );
  return h("div", { class: "segmented", role: "group", "aria-label": name }, ...buttons);
}

/** On or off. */
export function toggle(label: string, title: string, on: boolean, change: (on: boolean) => void): HTMLElement {
  const button = h(
    "button",
    { type: "button", class: "toggle", role: "switch", "aria-checked": String(on), title, "data-key": `toggle:${label}`, onclick: () => change(!on) },
    h("span", { class: "toggle-knob", "aria-hidden": "true" }),
    label,
  );
  return button;
}
