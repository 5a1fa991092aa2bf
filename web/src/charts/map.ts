// The world by shares: an equal-area map, and marks for places that are too small to have a shape.

import { geoEqualEarth, geoPath, type GeoPermissibleObjects } from "d3-geo";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "../generated/world.json";
import { h, s } from "../ui/dom";
import { responsive } from "./frame";

export interface MapSpec {
  label: string;
  /** Class of the metric, which gives the colour. */
  class: string;
  /** From 0, the class of no value, to `BINS`. */
  bin: (code: string) => number;
  /** Places whose shape may be missing: code and coordinates. */
  marks: readonly { code: string; latitude: number; longitude: number }[];
  describe: (code: string) => HTMLElement | null;
  choose: (code: string) => void;
  /** The places that the arrow keys go through. */
  order: readonly string[];
  /** A place in words. */
  speak: (code: string) => string;
  /** The corners of the part that is shown, in degrees: west, south, east, north. All of it without. */
  box?: Box | undefined;
  /** The one that is marked. */
  current?: string | undefined;
}

export type Box = readonly [west: number, south: number, east: number, north: number];

export const BINS = 6;

const topology = world as unknown as Topology<{ countries: GeometryCollection }>;
const countries = feature(topology, topology.objects.countries).features;
const shaped = new Set(countries.map(({ id }) => String(id)));

/** Whether the map has a shape for a country. */
export const hasShape = (code: string): boolean => shaped.has(code);

export function worldMap(spec: MapSpec, height: number): HTMLDivElement {
  const tip = h("div", { class: "tip", hidden: true });
  const place = responsive(height, (width) => draw(spec, width, height));
  place.append(tip);
  const voice = h("div", { class: "sr-only", "aria-live": "polite" });
  place.append(voice);
  place.tabIndex = 0;
  place.setAttribute("role", "group");
  place.setAttribute("aria-roledescription", "map");
  place.setAttribute("aria-label", `${spec.label}. Arrow keys go from place to place, Enter opens one.`);
  let at = -1;
  const mark = (code: string | undefined): Element | null => {
    place.querySelectorAll(".reached").forEach((shape) => shape.classList.remove("reached"));
    const shape = code ? place.querySelector(`[data-code="${CSS.escape(code)}"]`) : null;
    shape?.classList.add("reached");
    return shape;
  };
  const put = (x: number, y: number): void => {
    const box = place.getBoundingClientRect();
    const left = x + 16 + tip.offsetWidth > box.width ? x - 16 - tip.offsetWidth : x + 16;
    const top = Math.min(y + 12, box.height - tip.offsetHeight);
    tip.style.transform = `translate(${Math.round(Math.max(0, left))}px, ${Math.round(top)}px)`;
  };
  const reach = (next: number): void => {
    at = Math.max(0, Math.min(spec.order.length - 1, next));
    const code = spec.order[at];
    const shape = mark(code);
    const content = code ? spec.describe(code) : null;
    tip.hidden = content === null;
    if (!code || !content) return;
    tip.replaceChildren(content);
    voice.textContent = spec.speak(code);
    const [own, box] = [shape?.getBoundingClientRect(), place.getBoundingClientRect()];
    put(own ? own.left + own.width / 2 - box.left : 0, own ? own.top + own.height / 2 - box.top : 0);
  };
  place.addEventListener("keydown", (event) => {
    const steps: Record<string, number> = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: spec.order.length - 1 };
    const code = spec.order[at];
    if (event.key === "Enter" && code) return spec.choose(code);
    if (event.key === "Escape") return void (tip.hidden = true);
    const next = steps[event.key];
    if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    reach(next);
  });
  place.addEventListener("blur", () => {
    tip.hidden = true;
    mark(undefined);
  });
  const codeAt = (event: Event): string | null => (event.target as Element).getAttribute?.("data-code");
  place.addEventListener("pointermove", (event) => {
    const code = codeAt(event);
    const content = code ? spec.describe(code) : null;
    tip.hidden = content === null;
    if (!content) return;
    tip.replaceChildren(content);
    const box = place.getBoundingClientRect();
    put(event.clientX - box.left, event.clientY - box.top);
  });
  place.addEventListener("pointerleave", () => (tip.hidden = true));
  place.addEventListener("click", (event) => {
    const code = codeAt(event);
    if (code && spec.bin(code) >= 0) spec.choose(code);
  });
  return place;
}

/** Points along the edges of a part of the world. */
function outline([west, south, east, north]: Box): GeoPermissibleObjects {
  const along = Array.from({ length: 11 }, (_, at) => at / 10);
  const longitudes = along.map((part) => west + (east - west) * part);
  const latitudes = along.map((part) => south + (north - south) * part);
  return { type: "MultiPoint", coordinates: [...longitudes.flatMap((at) => [[at, south], [at, north]]), ...latitudes.flatMap((at) => [[west, at], [east, at]])] };
}

function draw(spec: MapSpec, width: number, height: number): SVGSVGElement {
  const all = { type: "FeatureCollection", features: countries } as GeoPermissibleObjects;
  const turned = spec.box ? -(spec.box[0] + spec.box[2]) / 2 : -11;
  const projection = geoEqualEarth().rotate([turned, 0]).fitExtent([[2, 2], [width - 2, height - 2]], spec.box ? outline(spec.box) : all);
  if (spec.box) projection.clipExtent([[0, 0], [width, height]]);
  const path = geoPath(projection).digits(1);
  const classes = (code: string): string => `land bin-${spec.bin(code)}${code === spec.current ? " current" : ""}`;
  const shapes = countries.map((country) => {
    const code = String(country.id ?? "");
    return s("path", { class: classes(code), "data-code": code || null, d: path(country) ?? "" });
  });
  const marks = spec.marks
    .filter(({ code }) => !hasShape(code))
    .map(({ code, latitude, longitude }) => {
      const [x, y] = projection([longitude, latitude]) ?? [-9, -9];
      return s("circle", { class: `${classes(code)} small`, "data-code": code, cx: x, cy: y, r: width < 500 ? 3 : 4 });
    });
  // The line around the marked one lies above its neighbours.
  shapes.sort((a, b) => Number(a.classList.contains("current")) - Number(b.classList.contains("current")));
  return s("svg", { class: `chart map ${spec.class}`, width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spec.label }, ...shapes, ...marks);
}
