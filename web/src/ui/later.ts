// Parts of a view that may come after the first picture.

import { h } from "./dom";

/** What a view waits for a part before it is shown without it. */
const PATIENCE_MS = 80;

/** The part if it is ready soon; else a place of a height for it, which is filled when it comes. */
export async function later(part: Promise<Element | null>, height: number): Promise<Element> {
  const place = h("div", { class: "later" });
  place.style.minHeight = `${height}px`;
  const filled = part
    .catch(() => null)
    .then((element) => {
      place.className = element ? "" : "nothing";
      place.style.minHeight = "";
      if (element) place.replaceChildren(element);
    });
  await Promise.race([filled, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  return place;
}
