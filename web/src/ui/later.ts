// Parts of a view that may come after the first picture.

import { h } from "./dom";

/** What a view waits for a part before it is shown without it. */
const PATIENCE_MS = 80;

/** The part if it is ready soon; else a place of a height for it, which is filled when it comes. */
export async function later(part: Promise<Element | null>, height: number): Promise<Element | null> {
  const late = Symbol("late");
  const safe = part.catch(() => null);
  const first = await Promise.race([safe, new Promise<symbol>((resolve) => setTimeout(() => resolve(late), PATIENCE_MS))]);
  if (typeof first !== "symbol") return first;
  const place = h("div", { class: "later" });
  place.style.minHeight = `${height}px`;
  void safe.then((element) => (element ? place.replaceWith(element) : place.remove()));
  return place;
}
