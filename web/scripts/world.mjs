// Makes src/generated/world.json: the borders of world-atlas (110m) with the two letters of ISO 3166-1 as ids,
// and nothing that the map does not draw. The codes come from the table that the server uses.
import { readFileSync, writeFileSync } from "node:fs";
import { quantize } from "topojson-client";

const table = readFileSync(new URL("../../crates/geo/src/country/table.rs", import.meta.url), "utf8");
const codes = new Map([...table.matchAll(/row\("(\w\w)", "\w+", "[^"]+", (\d+),/g)].map(([, alpha2, numeric]) => [Number(numeric), alpha2]));
const atlas = JSON.parse(readFileSync(new URL("../node_modules/world-atlas/countries-110m.json", import.meta.url), "utf8"));

const named = { Kosovo: "XK" };
const geometries = atlas.objects.countries.geometries
  .map(({ type, arcs, id, properties }) => ({ type, arcs, id: codes.get(Number(id)) ?? named[properties.name] }))
  .filter(({ id }) => id !== "AQ");

/** Absolute coordinates again, so that they can be rounded to what a screen shows. */
const { scale, translate } = atlas.transform;
const arcs = atlas.arcs.map((arc) => {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]]);
});
/** What the atlas draws as a part of its state, and has a code of its own: French Guiana and Svalbard. */
const apart = [
  { of: "FR", id: "GF", holds: ([x]) => x < -40 },
  { of: "NO", id: "SJ", holds: ([, y]) => y > 74 },
];
const startOf = ([[first]]) => (first < 0 ? arcs[~first].at(-1) : arcs[first][0]);
const split = geometries.flatMap((country) => {
  const found = apart.filter(({ of }) => of === country.id);
  const own = (polygon) => found.find(({ holds }) => holds(startOf(polygon)))?.id ?? country.id;
  if (found.length === 0) return [country];
  return [country.id, ...found.map(({ id }) => id)].map((id) => ({ type: "MultiPolygon", arcs: country.arcs.filter((polygon) => own(polygon) === id), id }));
});

const STEPS = 720;
const world = { type: "Topology", bbox: atlas.bbox, arcs, objects: { countries: { type: "GeometryCollection", geometries: split } } };
const { bbox, ...small } = quantize(world, STEPS);
const used = new Set(geometries.flatMap(({ arcs }) => arcs.flat(2)).map((at) => (at < 0 ? ~at : at)));
small.arcs = small.arcs.map((arc, at) => (used.has(at) ? arc : []));
writeFileSync(new URL("../src/generated/world.json", import.meta.url), JSON.stringify(small));
