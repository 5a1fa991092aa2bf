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
  /** The one that is marked. */
  current?: string | undefined;
}

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
  const codeAt = (event: Event): string | null => (event.target as Element).getAttribute?.("data-code");
  place.addEventListener("pointermove", (event) => {
    const code = codeAt(event);
    const content = code ? spec.describe(code) : null;
    tip.hidden = content === null;
    if (!content) return;
    tip.replaceChildren(content);
    const box = place.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const left = x + 16 + tip.offsetWidth > box.width ? x - 16 - tip.offsetWidth : x + 16;
    const top = Math.min(y + 12, box.height - tip.offsetHeight);
    tip.style.transform = `translate(${Math.round(Math.max(0, left))}px, ${Math.round(top)}px)`;
  });
  place.addEventListener("pointerleave", () => (tip.hidden = true));
  place.addEventListener("click", (event) => {
    const code = codeAt(event);
    if (code && spec.bin(code) >= 0) spec.choose(code);
  });
  return place;
}

function draw(spec: MapSpec, width: number, height: number): SVGSVGElement {
  const all = { type: "FeatureCollection", features: countries } as GeoPermissibleObjects;
  const projection = geoEqualEarth().rotate([-11, 0]).fitExtent([[2, 2], [width - 2, height - 2]], all);
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
