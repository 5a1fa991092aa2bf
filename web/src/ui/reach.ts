// Whether the server still answers: what is on the screen must not be taken for the present if it does not.

import { ROOT } from "../api/client";
import { h, swap } from "./dom";
import { clock } from "./format";
import { zoneName } from "./zone";

/** Together with the patience below: what is said within 10 seconds. */
const EVERY_MS = 4_000;
/** A server that takes longer for its shortest answer does not answer. */
const PATIENCE_MS = 5_000;
const ALIVE = new URL("healthz", ROOT);

const isAlive = (): Promise<boolean> =>
  fetch(ALIVE, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }).then(({ status }) => status !== 502 && status !== 504, () => false);

export interface Reach {
  banner: HTMLElement;
  /** What is shown was just answered. */
  answered(): void;
  /** When that was. */
  asOf(): number;
}

/** Looks again and again; `back` is called when the server answers again. */
export function reach(back: () => void): Reach {
  const banner = h("p", { class: "unreached", role: "alert", hidden: true });
  let asOf = Date.now();
  let since = 0;
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (document.hidden || isLooking) return;
    isLooking = true;
    say(await isAlive());
    isLooking = false;
  };
  const say = (alive: boolean): void => {
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
