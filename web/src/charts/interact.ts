// Reading a chart with pointer and keyboard: a crosshair with values, and a brush that zooms.

import { h, s } from "../ui/dom";
import { pieceAt } from "./times";
import type { Frame, TimeScale } from "./frame";

export interface Reading {
  /** What the chart shows. */
  label: string;
  /** Beginnings of the pieces of time. */
  times: readonly number[];
  step: number;
  range: readonly [number, number];
  /** What stands in the box beside the crosshair. */
  describe(at: number): HTMLElement;
  /** The same in words, for the keyboard. */
  speak(at: number): string;
  zoom?: ((from: number, to: number) => void) | undefined;
}

/** A pointer that moved less, in pixels, has not dragged: fingers tremble. */
const STILL: Readonly<Record<string, number>> = { mouse: 3, pen: 8, touch: 16 };

/** Makes a drawn chart readable. Called after each drawing with its scale. */
export class Reader {
  readonly #tip = h("div", { class: "tip", hidden: true });
  readonly #voice = h("div", { class: "sr-only", "aria-live": "polite" });
  #frame: Frame | null = null;
  #x: TimeScale | null = null;
  #cross = s("line", { class: "cross" });
  #band = s("rect", { class: "band" });
  #at = -1;
  #anchor = -1;
  /** Where the pointer went down. */
  #downAt = 0;

  constructor(
    readonly place: HTMLElement,
    readonly reading: Reading,
  ) {
    const keys = reading.zoom ? "Arrow keys read values; with Shift they select a time, Enter zooms to it." : "Arrow keys read values.";
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-roledescription", "chart");
    place.setAttribute("aria-label", `${reading.label}. ${keys}`);
    place.append(this.#tip, this.#voice);
    place.addEventListener("keydown", (event) => this.#key(event));
    place.addEventListener("blur", () => this.#clear());
    // A finger that is lifted leaves, too: its values stay.
    place.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.#anchor < 0 && this.#clear());
    place.addEventListener("pointermove", (event) => this.#move(event));
    place.addEventListener("pointerdown", (event) => this.#down(event));
    place.addEventListener("pointerup", (event) => this.#up(event));
    place.addEventListener("pointercancel", () => this.#clear());
  }

  /** Takes over a new drawing. */
  attach(svg: SVGSVGElement, frame: Frame, x: TimeScale): SVGSVGElement {
    this.#frame = frame;
    this.#x = x;
    svg.append(this.#band, this.#cross);
    this.#clear();
    return svg;
  }

  #indexAt(event: PointerEvent): number {
    const svg = this.place.querySelector("svg");
    if (!svg || !this.#x) return -1;
    const time = this.#x.invert(event.clientX - svg.getBoundingClientRect().left);
    return pieceAt(this.reading.times, time);
  }

  #move(event: PointerEvent): void {
    this.#show(this.#indexAt(event));
    if (this.#anchor >= 0) this.#showBand();
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#show(this.#indexAt(event));
    if (event.pointerType === "touch") this.#clearByTapElsewhere();
    if (!this.reading.zoom) return;
    this.#anchor = this.#at;
    this.#downAt = event.clientX;
    if (event.pointerType === "mouse") this.place.setPointerCapture(event.pointerId);
  }

  #clearByTapElsewhere(): void {
    const listener = (event: PointerEvent): void => void (this.place.contains(event.target as Node) || this.#clear());
    // In the capture phase, so that it is not this tap that is heard.
    document.addEventListener("pointerdown", listener, { once: true, capture: true });
  }

  #up(event: PointerEvent): void {
    if (this.#anchor < 0) return;
    const still = STILL[event.pointerType] ?? 0;
    if (Math.abs(event.clientX - this.#downAt) > still) return this.#select();
    this.#anchor = -1;
    this.#showBand();
  }

  #end(at: number): number {
    return Math.min(this.reading.range[1], this.reading.times[at + 1] ?? this.reading.range[1]);
  }

  /** The time between anchor and crosshair; none while one of them is not set. */
  #span(): [number, number] | null {
    const from = this.reading.times[Math.min(this.#anchor, this.#at)];
    return from === undefined ? null : [from, this.#end(Math.max(this.#anchor, this.#at))];
  }

  #select(): void {
    const span = this.#anchor === this.#at ? null : this.#span();
    this.#clear();
    if (span) this.reading.zoom?.(...span);
  }

  #key(event: KeyboardEvent): void {
    const last = this.reading.times.length - 1;
    const here = this.#at < 0 ? last : this.#at;
    const steps: Record<string, number> = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last, PageUp: here - 24, PageDown: here + 24 };
    if (event.key === "Escape") return this.#clear();
    if (event.key === "Enter" && this.#anchor >= 0) return this.#select();
    const next = steps[event.key];
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (!event.shiftKey) this.#anchor = -1;
    else if (this.#anchor < 0 && this.reading.zoom) this.#anchor = here;
    this.#show(Math.max(0, Math.min(last, this.#at < 0 ? here : next)));
    this.#showBand();
    this.#voice.textContent = this.reading.speak(this.#at);
  }

  #show(at: number): void {
    const [frame, x] = [this.#frame, this.#x];
    if (at < 0 || !frame || !x) return;
    this.#at = at;
    const px = x(((this.reading.times[at] ?? 0) + this.#end(at)) / 2);
    for (const [name, value] of [["x1", px], ["x2", px], ["y1", frame.top], ["y2", frame.height - frame.bottom]] as const) {
      this.#cross.setAttribute(name, String(value));
    }
    this.#cross.classList.add("on");
    this.#tip.hidden = false;
    this.#tip.replaceChildren(this.reading.describe(at));
    const width = this.#tip.offsetWidth;
    const left = px + 14 + width > frame.width ? px - 14 - width : px + 14;
    this.#tip.style.transform = `translate(${Math.round(Math.max(0, left))}px, ${frame.top}px)`;
  }

  #showBand(): void {
    const [frame, x, span] = [this.#frame, this.#x, this.#span()];
    this.#band.classList.toggle("on", span !== null);
    if (!span || !frame || !x) return;
    const [from, to] = [x(span[0]), x(span[1])];
    for (const [name, value] of [["x", from], ["width", Math.max(0, to - from)], ["y", frame.top], ["height", frame.height - frame.bottom - frame.top]] as const) {
      this.#band.setAttribute(name, String(value));
    }
  }

  #clear(): void {
    this.#at = -1;
    this.#anchor = -1;
    this.#tip.hidden = true;
    this.#cross.classList.remove("on");
    this.#band.classList.remove("on");
  }
}
