// Light, dark, or as the system has it. A preference of the reader, so it is not part of the address.

import { h } from "./dom";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEY = "cutshort-theme";
const NAMES: Record<Theme, string> = { auto: "as the system", light: "light", dark: "dark" };

function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}

function apply(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** Puts the stored choice, or one in the address of an embedded page, into effect. */
export function startTheme(asked?: string | null): void {
  apply(THEMES.find((theme) => theme === asked) ?? stored());
}

export function themeButton(): HTMLElement {
  const button = h("button", { type: "button", class: "button theme", "data-key": "theme" });
  const label = (): void => {
    const text = `Colours: ${NAMES[stored()]}`;
    button.setAttribute("aria-label", text);
    button.title = text;
    button.dataset["theme"] = stored();
  };
  button.innerHTML =
    '<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><circle class="ring" cx="10" cy="10" r="7"/><path class="half" d="M10 3a7 7 0 0 1 0 14z"/></svg>';
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(stored()) + 1) % THEMES.length] ?? "auto";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // A browser that keeps nothing: the choice holds for this page.
    }
    apply(next);
    label();
  });
  label();
  return button;
}
