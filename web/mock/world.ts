// A small made-up world for developing without the server: counts per network, stage and time.
import { readFileSync } from "node:fs";

export const QUARTER = 900_000;
const HOUR = 4 * QUARTER;
const DAY = 24 * HOUR;
export const STAGES = ["post_syn", "post_ack", "post_psh", "later_in_flow", "no_match"] as const;
export type StageCounts = [number, number, number, number, number];

export interface Country {
  alpha2: string;
  name: string;
  continent: string;
  latitude: number;
  longitude: number;
}
export interface Network {
  asn: number;
  name: string;
  country: string;
  weight: number;
  mix: StageCounts;
}

const table = readFileSync(new URL("../../crates/geo/src/country/table.rs", import.meta.url), "utf8");
const ROW = /row\("(\w\w)", "([^"]+)", \d+, (\w\w), \w+, ([-\d.]+), ([-\d.]+)\)/g;
export const countries: Country[] = [...table.matchAll(ROW)].map((row) => ({
  alpha2: row[1]!,
  name: row[2]!,
  continent: row[3]!,
  latitude: Number(row[4]),
  longitude: Number(row[5]),
}));

const HOMES =
  "US:290 IN:260 BR:150 CN:240 ID:120 JP:105 DE:80 MX:78 GB:66 FR:62 TR:58 PH:60 VN:62 NG:56 EG:50 KR:50 PK:52 BD:46 TH:44 IT:46 ES:44 PL:34 CA:38 AR:38 CO:34 ZA:34 AU:28 NL:26 UA:28 PE:24 CL:22 SE:20 KE:22 PT:20 CH:16 NZ:14 IS:3 SG:4 MT:1 BH:1";

const FIXED: StageCounts = [6, 3, 4, 6, 81];
const MOBILE: StageCounts = [8, 5, 5, 4, 78];
const SPECIAL: [string, string, number, StageCounts][] = [
  ["Zero-Rating Mobile", "CH", 9, [5, 50, 4, 2, 39]],
  ["Zero-Rating Mobile", "CL", 9, [6, 47, 4, 3, 40]],
  ["Fixed with Resets", "SE", 16, [5, 3, 22, 4, 66]],
  ["Mobile with Resets", "NL", 8, [5, 4, 30, 4, 57]],
  ["Uptime Checks", "DE", 7, [1, 84, 2, 1, 12]],
  ["Scans", "US", 14, [97, 2, 0, 0, 1]],
  ["Crawler", "CA", 14, [2, 1, 2, 38, 57]],
  ["Small Cloud", "IS", 1, [6, 4, 3, 3, 84]],
];

function allNetworks(): Network[] {
  const all: Network[] = [];
  const add = (name: string, country: string, weight: number, mix: StageCounts): void => {
    all.push({ asn: 4_200_000_001 + all.length, name: `Simulated ${name} (${country})`, country, weight, mix });
  };
  for (const home of HOMES.split(" ")) {
    const [country = "", weight = "0"] = home.split(":");
    const n = 2 + Math.floor(Number(weight) / 25);
    for (let rank = 0; rank < n; rank++) {
      const share = Number(weight) / (rank + 1) / Math.log(n + 1.8);
      add(`${rank % 2 ? "Mobile" : "Fixed"} ${rank + 1}`, country, share, rank % 2 ? MOBILE : FIXED);
    }
  }
  for (const [name, country, weight, mix] of SPECIAL) add(name, country, weight * 2.4, mix);
  return all;
}
export const networks = allNetworks();

/** A number from 0 to 1 that is always the same for the same input. */
function noise(a: number, b: number): number {
  let x = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

function effect(network: Network, time: number, end: number): [number, StageCounts] {
  const days = (end - time) / DAY;
  const hour = Math.floor(time / HOUR) % 24;
  if (network.country === "PT" && days > 8 && days <= 9) return [0.05, [52, 5, 3, 3, 37]];
  if (network.country === "NZ" && days < 16 && days > 9 && hour >= 20 && hour < 23) return [0.7, [7, 28, 6, 4, 55]];
  if (network.name.includes("Small Cloud") && days < 19 && hour >= 4 && hour < 22) return [20, [97, 1, 1, 0, 1]];
  return [1, network.mix];
}

/** Counts of one network in one window. `scale` thins the whole world. */
export function counts(network: Network, time: number, end: number, scale: number): StageCounts {
  const [factor, mix] = effect(network, time, end);
  const wave = 1 + 0.45 * Math.sin(((time % DAY) / DAY) * 2 * Math.PI - 1.6);
  const at = Math.floor(time / QUARTER);
  const total = network.weight * scale * factor * wave * (0.85 + 0.3 * noise(network.asn, at));
  return mix.map((share, index) => {
    const exact = (total * share * (0.8 + 0.4 * noise(network.asn + index, at * 7))) / 100;
    return Math.floor(exact) + (noise(at + index * 31, network.asn) < exact % 1 ? 1 : 0);
  }) as StageCounts;
}
