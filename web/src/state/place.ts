// Where connections come from: the world, a continent, a country or a network.

export type Place =
  | { kind: "world" }
  | { kind: "continent"; code: string }
  | { kind: "location"; code: string }
  | { kind: "asn"; number: number };

export const WORLD: Place = { kind: "world" };

export const CONTINENTS: Readonly<Record<string, string>> = {
  AF: "Africa",
  AS: "Asia",
  EU: "Europe",
  NA: "North America",
  OC: "Oceania",
  SA: "South America",
};

/** As it stands in the address: `PT`, `continent-EU`, `AS13335`; the world is `world`. */
export function placeKey(place: Place): string {
  switch (place.kind) {
    case "world":
      return "world";
    case "continent":
      return `continent-${place.code}`;
    case "location":
      return place.code;
    case "asn":
      return `AS${place.number}`;
  }
}

export function parsePlace(text: string): Place | null {
  if (text === "" || text === "world") return WORLD;
  const continent = /^continent-([A-Z]{2})$/i.exec(text)?.[1]?.toUpperCase();
  if (continent) return continent in CONTINENTS ? { kind: "continent", code: continent } : null;
  const asn = /^AS(\d{1,10})$/i.exec(text)?.[1];
  if (asn) return Number(asn) <= 0xffffffff ? { kind: "asn", number: Number(asn) } : null;
  return /^[A-Za-z]{2}$/.test(text) ? { kind: "location", code: text.toUpperCase() } : null;
}

export const samePlace = (a: Place, b: Place): boolean => placeKey(a) === placeKey(b);
