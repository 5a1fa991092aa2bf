// What people call countries: in their own language, in the country's, in English, and some names that no table has.

/** Names by which countries are known, folded as by `fold`. */
const COMMON: Readonly<Record<string, string>> = {
  us: "US", america: "US", "united states of america": "US",
  uk: "GB", "great britain": "GB", britain: "GB", england: "GB", scotland: "GB", wales: "GB",
  uae: "AE", emirates: "AE",
  burma: "MM", holland: "NL", persia: "IR", "ivory coast": "CI", czechia: "CZ", "czech republic": "CZ", swaziland: "SZ", macedonia: "MK", "cape verde": "CV", "east timor": "TL",
  drc: "CD", "dr congo": "CD", "congo kinshasa": "CD", "congo brazzaville": "CG", congo: "CG", car: "CF", ksa: "SA", prc: "CN", roc: "TW", rok: "KR", dprk: "KP",
  korea: "KR", "south korea": "KR", "north korea": "KP", russia: "RU", "russian federation": "RU", syria: "SY", laos: "LA", vatican: "VA", "hong kong": "HK", macau: "MO", palestine: "PS", turkey: "TR",
};

/** Without accents, case and punctuation. */
export const fold = (text: string): string =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[’'`.,()&-]/g, " ").replace(/ı/g, "i").replace(/\s+/g, " ").trim();

let names: Map<string, string[]> | null = null;

/** The names of each country, made once. */
function known(codes: readonly string[]): Map<string, string[]> {
  if (names) return names;
  const in_ = (language: string): Intl.DisplayNames | null => {
    try {
      return new Intl.DisplayNames([language], { type: "region", fallback: "none" });
    } catch {
      return null;
    }
  };
  const readers = [...new Set(["en", ...navigator.languages])].map(in_);
  const own = (code: string): Intl.DisplayNames | null => {
    const { language } = new Intl.Locale("und", { region: code }).maximize();
    return language ? in_(language) : null;
  };
  names = new Map(codes.map((code) => [code, [...readers, own(code)].map((one) => one?.of(code) ?? "").filter(Boolean).map(fold)]));
  for (const [name, code] of Object.entries(COMMON)) names.get(code)?.push(name);
  return names;
}

/** How well a name fits what was written: the whole of it, its beginning, or the beginning of one of its words; 0 if not at all. */
function fit(name: string, wanted: string): number {
  if (name === wanted) return 3;
  if (name.startsWith(wanted)) return 2;
  return wanted.length > 2 && name.includes(` ${wanted}`) ? 1 : 0;
}

/** The countries that are called so, the best first. */
export function countriesCalled(query: string, codes: readonly string[]): string[] {
  const wanted = fold(query);
  if (!wanted) return [];
  const scored = [...known(codes)].map(([code, all]) => ({ code, score: Math.max(code.toLowerCase() === wanted ? 3 : 0, ...all.map((name) => fit(name, wanted))) }));
  return scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score).map(({ code }) => code);
}
