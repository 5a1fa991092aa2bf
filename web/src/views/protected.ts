// Addresses that are not the real ones, in words.

import { h } from "../ui/dom";

/** What was done to addresses, by the name of the way. */
export const PROTECTED: Readonly<Record<string, string>> = {
  truncated: "truncated to their networks (/24 of IPv4, /48 of IPv6) before they were written",
  encrypted: "encrypted before they were written, the same one always alike",
};

/** A plain sentence for a list in which some addresses are not the real ones; none if all are. */
export function protectedNote(ways: readonly (string | undefined)[]): HTMLElement | null {
  const known = [...new Set(ways)].filter((way) => way !== undefined);
  if (known.length === 0) return null;
  const whose = ways.every((way) => way !== undefined) ? "Addresses here" : "Addresses that are marked";
  const how = known.map((way) => PROTECTED[way] ?? way).join(", or ");
  return h("p", { class: "protected" }, h("strong", {}, `${whose} are not the real ones: `), `they were ${how}. Country and network were looked up before. A filter by client looks for what is shown.`);
}
