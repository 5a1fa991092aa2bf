// Finds a country or network by name, code or number: a combobox.

import { total } from "../api/answers";
import * as radar from "../api/radar";
import type { Found } from "../api/wire";
import { CONTINENTS, parsePlace, type Place, samePlace } from "../state/place";
import type { Range } from "../state/url";
import { countriesCalled } from "./aliases";
import { h, newId } from "./dom";
import { compact } from "./format";

export interface Hit {
  place: Place;
  name: string;
  code: string;
  kind: string;
}

function fromApi(found: Found): Hit | null {
  const isNetwork = found.type.toLowerCase().startsWith("as");
  const place = parsePlace(isNetwork ? `AS${found.code.replace(/^AS/i, "")}` : found.code);
  if (!place) return null;
  return { place, name: found.name, code: isNetwork ? `AS${found.code.replace(/^AS/i, "")}` : found.code, kind: isNetwork ? "Network" : "Country" };
}

function continents(query: string): Hit[] {
  const text = query.toLowerCase();
  const world: Hit[] = text && "world".startsWith(text) ? [{ place: { kind: "world" }, name: "World", code: "", kind: "All" }] : [];
  const matching = Object.entries(CONTINENTS).filter(([, name]) => text && name.toLowerCase().includes(text));
  return [...world, ...matching.map(([code, name]): Hit => ({ place: { kind: "continent", code }, name, code: "", kind: "Continent" }))];
}

const MOST = 10;
const MOST_COUNTRIES = 6;

/** Countries by all their names, then what the server finds: countries before networks. */
export async function find(query: string): Promise<Hit[]> {
  if (!query) return [];
  const [found, places] = await Promise.all([radar.search(query), radar.locations().catch(() => [])]);
  const names = new Map(places.map(({ alpha2, name }) => [alpha2, name]));
  const called = countriesCalled(query, [...names.keys()]).map((code): Hit => ({ place: { kind: "location", code }, name: names.get(code) ?? code, code, kind: "Country" }));
  const known = found.map(fromApi).filter((hit): hit is Hit => hit !== null);
  const isCountry = ({ place }: Hit): boolean => place.kind === "location";
  const others = known.filter((hit) => isCountry(hit) && !called.some(({ code }) => code === hit.code));
  // A network's number is meant, whatever else begins with it.
  const numbers = /^(as)?\d+$/i.test(query.trim()) ? known.filter((hit) => !isCountry(hit)) : [];
  // The server knows the codes of three letters.
  const coded = /^[a-z]{3}$/i.test(query.trim()) ? known.filter(isCountry).slice(0, 1) : [];
  return unique([...numbers, ...coded, ...called.slice(0, MOST_COUNTRIES), ...continents(query), ...others, ...known.filter((hit) => !isCountry(hit))]).slice(0, MOST);
}

/** Each place once. */
const unique = (hits: readonly Hit[]): Hit[] => hits.filter(({ place }, at) => hits.findIndex((other) => samePlace(other.place, place)) === at);

/** How many connections of each hit were sampled in the time that is shown. */
async function volumes(hits: readonly Hit[], range: Range): Promise<number[]> {
  const { series } = await radar.summary("stage", hits.map(({ place }) => ({ place, range, completed: false, unanswered: false })));
  return series.map(({ sampled }) => total(sampled));
}

/** Who types on is not asked for yet. */
const PAUSE_MS = 200;

export interface SearchSpec {
  label: string;
  placeholder: string;
  key: string;
  /** Only networks are found. */
  only?: "asn";
  choose: (place: Place) => void;
  /** The time whose connections are counted beside each hit. */
  range?: () => Range;
}

/** The field with its list. */
export function searchField(spec: SearchSpec): HTMLElement {
  const id = newId("search");
  const list = h("ul", { id, role: "listbox", class: "hits", "aria-label": spec.label, hidden: true });
  const input = h("input", {
    type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: spec.placeholder, "data-key": spec.key,
    "aria-label": spec.label, "aria-controls": id, "aria-expanded": "false", "aria-autocomplete": "list",
  });
  let hits: Hit[] = [];
  let active = -1;
  let asked = 0;
  /** What the hits are for. */
  let answered = "";
  /** Enter was pressed before the answer came. */
  let wanted = false;

  const mark = (at: number): void => {
    active = at;
    [...list.children].forEach((item, of) => item.setAttribute("aria-selected", String(of === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const shut = (): void => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    mark(-1);
  };
  const choose = (hit: Hit | undefined): void => {
    if (!hit) return;
    input.value = "";
    hits = [];
    answered = "";
    asked++;
    shut();
    spec.choose(hit.place);
  };
  const show = (message?: string): void => {
    const items = hits.map((hit, at) =>
      h("li", { id: `${id}-${at}`, role: "option", "aria-selected": "false", onpointerdown: (event: PointerEvent) => { event.preventDefault(); choose(hit); } },
        h("span", {}, hit.name), h("span", { class: "muted" }, [hit.kind, hit.code].filter(Boolean).join(" "), h("span", { class: "hit-volume" }))),
    );
    list.replaceChildren(...items, ...(message ? [h("li", { class: "muted", role: "option", "aria-disabled": "true", "aria-selected": "false" }, message)] : []));
    if (spec.range && hits.length) void count(asked, spec.range());
    list.hidden = list.childElementCount === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    mark(hits.length ? 0 : -1);
  };
  const count = async (mine: number, range: Range): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (mine !== asked) return;
    const sampled = await volumes(hits, range).catch(() => []);
    if (mine !== asked) return;
    sampled.forEach((n, at) => {
      const place = list.children[at]?.querySelector(".hit-volume");
      if (place) place.textContent = n ? ` · ${compact(n)} sampled` : " · no data";
    });
  };
  const update = async (): Promise<void> => {
    const query = input.value.trim();
    const mine = ++asked;
    wanted = false;
    if (!query) return shut();
    try {
      const found = (await find(query)).filter(({ place }) => !spec.only || place.kind === spec.only);
      if (mine !== asked) return;
      hits = found;
      answered = query;
      if (wanted && found.length) return choose(found[0]);
      show(found.length ? undefined : `Nothing is called “${query}”. Try a country's name or code, or an AS number.`);
    } catch (error) {
      if (mine !== asked) return;
      hits = [];
      show(error instanceof Error ? error.message : String(error));
    }
  };
  input.addEventListener("input", () => void update());
  input.addEventListener("focus", () => input.value && void update());
  input.addEventListener("blur", shut);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (hits.length) mark((active + step + hits.length) % hits.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (input.value.trim() === answered) choose(hits[active]);
      else wanted = true;
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      shut();
    }
  });
  return h("div", { class: "search" }, input, list);
}
