// Whether shares differ, and how that is said.
import { describe, expect, it } from "vitest";
import { agreement, chance, differ, interval, type Sample, sameByChance } from "../../src/stats/proportions";
import { headline, line } from "../../src/views/verdict";

const sample = (name: string, share: number, sampled = 10_000): Sample => ({ name, matching: Math.round((share * sampled) / 100), sampled });
const names = (all: readonly { name: string }[]): string[] => all.map(({ name }) => name);
const plain = (text: string): string => text.replaceAll("\u202f", " ");

describe("a share", () => {
  it("has Wilson's interval", () => {
    // As in Newcombe (1998), table I: 81/263 and 15/148, 0/20.
    const rounded = (matching: number, sampled: number): number[] => interval(matching, sampled).map((end) => Math.round(100 * end) / 10_000);
    expect(rounded(81, 263)).toEqual([0.2553, 0.3662]);
    expect(rounded(15, 148)).toEqual([0.0624, 0.1605]);
    expect(rounded(0, 20)).toEqual([0, 0.1611]);
  });

  it("differs from another one by chance this often", () => {
    expect(chance(1.959964)).toBeCloseTo(0.05, 5);
    expect(chance(-3.290527)).toBeCloseTo(0.001, 6);
    expect(sameByChance({ matching: 10, sampled: 100 }, { matching: 20, sampled: 100 })).toBeCloseTo(0.0477, 3);
    expect(sameByChance({ matching: 0, sampled: 100 }, { matching: 0, sampled: 50 })).toBe(1);
  });

  it("differs only by so many points, beyond chance, and less easily among many", () => {
    expect(differ(sample("", 20, 1_000_000), sample("", 22.9, 1_000_000), 1)).toBe(false);
    expect(differ(sample("", 20, 100), sample("", 26, 100), 1)).toBe(false);
    expect(differ(sample("", 20, 1000), sample("", 24, 1000), 1)).toBe(true);
    expect(differ(sample("", 20, 1000), sample("", 24, 1000), 20)).toBe(false);
  });
});

describe("several shares", () => {
  const five = (third: number): Sample[] => [20, 20.4, third, 19.8, 20.1].map((share, at) => sample(`edge${at + 1}`, share));

  it("agree within chance and margin", () => expect(agreement(five(21)).apart).toEqual([]));

  it("have one that differs, which does not make the others differ", () => {
    const { apart, agree } = agreement(five(60));
    expect(names(apart)).toEqual(["edge3"]);
    expect(apart[0]?.share).toBe(60);
    expect(apart[0]?.rest).toBeCloseTo(20.075, 3);
    expect(names(agree)).toEqual(["edge1", "edge2", "edge4", "edge5"]);
  });

  it("have no rule where most differ", () => {
    const { apart, agree } = agreement([5, 15, 25, 35].map((share, at) => sample(`edge${at}`, share)));
    expect(agree).toEqual([]);
    expect(apart.length).toBeGreaterThan(1);
  });

  it("leave out those with few connections", () => {
    const { compared, few, apart } = agreement([sample("a", 20), sample("b", 20), sample("c", 90, 50)]);
    expect([names(compared), names(few), apart]).toEqual([["a", "b"], ["c"], []]);
  });
});

describe("the sentence", () => {
  const agreeing = (n: number) => agreement(Array.from({ length: n }, (_, at) => sample(`edge${at + 1}`, 20)));
  const oneApart = (n: number, name: string) => agreement([...Array.from({ length: n - 1 }, (_, at) => sample(`one ${at}`, 20)), sample(name, 50)]);
  it.each([
    ["All five servers agree, and so do ports, IP versions and networks: nothing stands out.", { node: agreeing(5), port: agreeing(2), ip_version: agreeing(2), as: agreeing(30) }],
    ["All five servers agree; two networks differ: look at them.", { node: agreeing(5), as: agreement([...Array.from({ length: 9 }, (_, at) => sample(`AS${at}`, 20)), sample("A", 50), sample("B", 1)]) }],
    ["Both servers agree; port 25 differs from the others: look at it.", { node: agreeing(2), port: oneApart(4, "25") }],
    ["edge3 differs from the other four: look at it.", { node: oneApart(5, "edge3"), as: oneApart(9, "A") }],
    ["a and b differ from each other: look at them.", { node: agreement([sample("a", 20), sample("b", 40)]) }],
    ["The four servers do not agree with each other: look at them.", { node: agreement([5, 15, 25, 35].map((share, at) => sample(`e${at}`, share))) }],
    ["One network differs: look at it.", { node: agreeing(1), as: oneApart(8, "A") }],
    ["There are too few connections to compare: at least 100 of each are needed.", { node: agreeing(0) }],
  ])("%s", (said, compared) => expect(headline(compared)).toBe(said));

  it("has its numbers below", () => {
    expect(plain(line("node", oneApart(5, "edge3")))).toBe("edge3: 50.0 %, +30.0 points (n = 10,000). The other 4 servers agree: 20.0 % (n = 40,000).");
    expect(plain(line("ip_version", agreeing(2)))).toBe("Both IP versions agree: 20.0 % (n = 20,000).");
    expect(plain(line("port", agreement([sample("443", 20), sample("80", 20), sample("25", 20, 9)])))).toBe("Both ports agree: 20.0 % (n = 20,000). One port with fewer than 100 connections is not compared.");
    expect(line("node", agreeing(1))).toBe("Only edge1 has enough connections to compare.");
    expect(line("node", agreement([sample("file", 20)]))).toBe("There are only imported captures, and no servers to compare.");
  });
});
