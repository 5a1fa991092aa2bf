// The page is kept open: what is shown follows the data by itself, where nobody is in the middle of something.

import type { State } from "../state/url";

/** What is looked at to see whether something works must be fresh. */
const SOON_MS = 15_000;
/** Other numbers change when a window has results. */
const QUARTER_MS = 900_000;

/** Calls `again` when what is shown may be out of date. */
export function keepFresh(view: HTMLElement, state: () => State, again: () => void): void {
  let shown = Date.now();
  new MutationObserver(() => (shown = Date.now())).observe(view, { childList: true });
  setInterval(() => {
    const isWatched = state().view === "status" || view.querySelector(".waits") !== null;
    const moves = isWatched || state().range.kind === "last";
    if (!moves || document.hidden || isBusy(view) || Date.now() - shown < (isWatched ? SOON_MS : QUARTER_MS)) return;
    shown = Date.now();
    again();
  }, 5_000);
}

/** Somebody reads something that was opened, writes, or marks text. */
function isBusy(view: HTMLElement): boolean {
  const selection = document.getSelection();
  const isMarked = selection !== null && !selection.isCollapsed && view.contains(selection.anchorNode);
  return isMarked || view.querySelector('[aria-expanded="true"], details[open]:is(.menu, .tabled), input:focus, select:focus, [aria-busy]') !== null;
}
