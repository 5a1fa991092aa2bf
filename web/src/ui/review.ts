// Confirming and dismissing events, by anyone with a token for writing.

import { forget } from "../api/client";
import * as radar from "../api/radar";
import type { FoundEvent } from "../api/wire";
import type { App } from "../app";
import { h } from "./dom";
import { close, menu } from "./menu";
import { writing } from "./token";

/** A button with a form in which an event is confirmed or dismissed, or what was decided is taken back. */
export function reviewMenu(app: App, { id, review }: Pick<FoundEvent, "id" | "review">): HTMLElement {
  const note = h("textarea", { rows: 2, maxlength: 2000, "aria-label": "Why" }, review?.note ?? "");
  const { elements, run } = writing();
  const choice = (label: string, change: () => Promise<unknown>): HTMLElement => {
    const button = h("button", { type: "button", class: "button" }, label);
    button.addEventListener("click", () =>
      run("Deciding about an event", async () => {
        await change();
        close(form);
        forget();
        app.store.again();
      }),
    );
    return button;
  };
  const form = h(
    "form",
    { class: "range-form note-form" },
    h("label", {}, "Why (optional)", note),
    ...elements,
    choice("Confirm", () => radar.review(id, "confirmed", note.value.trim())),
    choice("Dismiss", () => radar.review(id, "dismissed", note.value.trim())),
    review ? choice("Take back", () => radar.withdraw(id)) : null,
  );
  return menu("Review", { key: `review:${id}`, class: "wide", title: "Review this event: confirm or dismiss it" }, form);
}
