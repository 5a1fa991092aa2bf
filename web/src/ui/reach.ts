// Whether the server still answers: what is on the screen must not be taken for the present if it does not.

import { ROOT } from "../api/client";
import { h, swap } from "./dom";
import { clock } from "./format";
import { zoneName } from "./zone";

const EVERY_MS = 30_000;
const ALIVE = new URL("healthz", ROOT);

export interface Reach {
  banner: HTMLElement;
  /** What is shown was just answered. */
  answered(): void;
  /** When that was. */
  asOf(): number;
}

/** Looks every half minute; `back` is called when the server answers again. */
export function reach(back: () => void): Reach {
  const banner = h("p", { class: "unreached", role: "alert", hidden: true });
  let asOf = Date.now();
  let since = 0;
  const look = async (): Promise<void> => {
    if (document.hidden) return;
    const alive = await fetch(ALIVE, { cache: "no-store" }).then(({ status }) => status !== 502 && status !== 504, () => false);
    if (alive && since) {
      since = 0;
      banner.hidden = true;
      back();
    } else if (!alive) {
      since ||= Date.now();
      swap(banner, h("strong", {}, "The server does not answer"), ` since ${clock(since)}. What is shown is as of ${clock(asOf)} ${zoneName()}. Is cutshort still running?`);
      banner.hidden = false;
    }
  };
  setInterval(() => void look(), EVERY_MS);
  document.addEventListener("visibilitychange", () => void look());
  return { banner, answered: () => void (asOf = Date.now()), asOf: () => asOf };
}
