// "Is it us or them?" in words, from comparisons of servers, ports, IP versions and networks.

import { type Agreement, type Apart, LEAST } from "../stats/proportions";
import { count, percent, points } from "../ui/format";

export const KINDS = ["node", "port", "ip_version", "as"] as const;
export type Kind = (typeof KINDS)[number];

const ONE: Record<Kind, string> = { node: "server", port: "port", ip_version: "IP version", as: "network" };

/** Comparisons that were made; of a single network there is none of networks. */
export type Compared = Partial<Record<Kind, Agreement>>;

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const word = (n: number): string => NUMBERS[n] ?? count(n);
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const several = (n: number, kind: Kind): string => `${word(n)} ${ONE[kind]}${n === 1 ? "" : "s"}`;

/** What one is called in a sentence: `port 443`, `edge3`. */
export function called(kind: Kind, name: string): string {
  if (kind === "node" && name === FILE) return "imported captures";
  return kind === "port" ? `port ${name}` : name;
}

/** What the API calls imported captures, among servers. */
export const FILE = "file";

/** So many names are listed; of more their number is said. */
const NAMED = 2;

function listed(kind: Kind, apart: readonly Apart[]): string {
  if (apart.length > NAMED) return several(apart.length, kind);
  return apart.map(({ name }) => called(kind, name)).join(" and ");
}

const isSplit = ({ apart, agree }: Agreement): boolean => apart.length > 0 && agree.length === 0;

/** Begins a sentence, but not by changing a server's name. */
const starting = (text: string, { apart, compared }: Agreement): string => ([...apart, ...compared].some(({ name }) => text.startsWith(name)) ? text : capital(text));

/** That some differ: `edge3 differs from the other four`. */
function differing(kind: Kind, found: Agreement): string {
  const { apart, agree, compared } = found;
  if (isSplit(found)) return compared.length === 2 ? `${listed(kind, compared.map(({ name }) => ({ name }) as Apart))} differ from each other` : `the ${several(compared.length, kind)} do not agree with each other`;
  const isOne = apart.length === 1;
  // Networks are many: how many others there are says little.
  const rest = kind === "node" ? ` from the other ${agree.length === 1 ? "one" : word(agree.length)}` : kind === "as" ? "" : " from the others";
  return `${kind === "as" ? several(apart.length, kind) : listed(kind, apart)} differ${isOne ? "s" : ""}${rest}`;
}

const isMany = (found: Agreement): boolean => found.apart.length > 1 || isSplit(found);

/** One sentence. */
export function headline(compared: Compared): string {
  const { node, ...others } = compared;
  const differ = (Object.entries(others) as [Kind, Agreement][]).filter(([, { apart }]) => apart.length > 0);
  if (node && node.apart.length > 0) {
    return `${starting(differing("node", node), node)}: look at ${isMany(node) ? "them" : "it"}.`;
  }
  const servers = node && node.compared.length > 1 ? `${node.compared.length === 2 ? "both servers" : `all ${several(node.compared.length, "node")}`} agree` : null;
  if (differ.length > 0) {
    const what = differ.map(([kind, found]) => differing(kind, found)).join("; ");
    const them = differ.length > 1 || differ.some(([, found]) => isMany(found)) ? "them" : "it";
    return `${capital([servers, what].filter(Boolean).join("; "))}: look at ${them}.`;
  }
  const made = (Object.entries(others) as [Kind, Agreement][]).filter(([, one]) => one.compared.length > 1).map(([kind]) => `${ONE[kind]}s`);
  const rest = made.length > 1 ? `${made.slice(0, -1).join(", ")} and ${made.at(-1)}` : (made[0] ?? "");
  if (servers) return `${capital(servers)}${rest ? `, and so do ${rest}` : ""}: nothing stands out.`;
  if (rest) return `${capital(rest)} agree: nothing stands out.`;
  return `There are too few connections to compare: at least ${LEAST} of each are needed.`;
}

/** One comparison with its numbers. */
export function line(kind: Kind, found: Agreement): string {
  const { compared, few, apart, agree } = found;
  const notCompared = few.length ? ` ${capital(several(few.length, kind))} with fewer than ${LEAST} connections ${few.length === 1 ? "is" : "are"} not compared.` : "";
  if (kind === "node" && compared.length === 1 && compared[0]?.name === FILE) return "There are only imported captures, and no servers to compare.";
  if (compared.length < 2) return `${compared.length ? `Only ${called(kind, compared[0]?.name ?? "")} has` : "None has"} enough connections to compare.`;
  const all = isSplit(found) ? compared : agree;
  const shares = all.map(({ matching, sampled }) => (100 * matching) / sampled).sort((a, b) => a - b);
  const n = all.reduce((sum, { sampled }) => sum + sampled, 0);
  const [least, most] = [percent(shares[0] ?? NaN), percent(shares.at(-1) ?? NaN)];
  const between = least === most ? least : `${least} to ${most}`;
  if (isSplit(found)) return `${capital(differing(kind, found))}: ${between} (n = ${count(n)}).${notCompared}`;
  const same = `${apart.length ? "The other" : all.length === 2 ? "Both" : "All"} ${all.length === 2 && !apart.length ? "" : `${count(all.length)} `}${ONE[kind]}s agree: ${between} (n = ${count(n)})`;
  const more = apart.length > NUMBERED ? [`${capital(word(apart.length - NUMBERED))} more differ${apart.length === NUMBERED + 1 ? "s" : ""}`] : [];
  return `${[...apart.slice(0, NUMBERED).map((one) => numbers(kind, one)), ...more, same].join(". ")}.${notCompared}`;
}

/** So many are said with their numbers. */
export const NUMBERED = 3;

const numbers = (kind: Kind, { name, share, rest, sampled }: Apart): string => `${kind === "port" ? capital(called(kind, name)) : name}: ${percent(share)}, ${points(share - rest)} (n = ${count(sampled)})`;
