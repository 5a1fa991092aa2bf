import { describe, expect, it } from "vitest";
import { bytes, compact, count, dates, duration, many, percent, points, range, shortRange, span } from "../../src/ui/format";

const plain = (text: string): string => text.replaceAll("\u202f", " ");
const at = (day: number, hour = 0, month = 10, year = 2026): number => Date.UTC(year, month, day, hour);

describe("numbers", () => {
  it.each([
    [23.449, "23.4 %"],
    [0, "0.0 %"],
    [0.044, "0.04 %"],
    [0.001, "<0.01 %"],
    [100, "100.0 %"],
    [NaN, "–"],
  ])("share %d", (share, text) => expect(plain(percent(share))).toBe(text));

  it.each([
    [1.25, "+1.3 points"],
    [-0.31, "−0.3 points"],
    [0.04, "no change"],
  ])("difference %d", (difference, text) => expect(points(difference)).toBe(text));

  it.each([
    [1_912_332, "1,912,332", "1.9 M"],
    [999, "999", "999"],
    [1000, "1,000", "1 k"],
    [12_345, "12,345", "12.3 k"],
    [250_000, "250,000", "250 k"],
  ])("count %d", (n, long, short) => {
    expect(count(n)).toBe(long);
    expect(plain(compact(n))).toBe(short);
  });

  it("sizes and numbers of things", () => {
    expect(plain(bytes(139_000_000))).toBe("139 MB");
    expect(plain(bytes(12))).toBe("12 B");
    expect(many(1, "country", "countries")).toBe("1 country");
    expect(many(1200, "network")).toBe("1,200 networks");
  });
});

describe("times", () => {
  it.each([
    [at(14), at(21), "14 to 20 Nov 2026"],
    [at(14), at(15), "14 Nov 2026"],
    [at(25, 0, 9), at(22), "25 Oct to 21 Nov 2026"],
    [at(30, 0, 11, 2025), at(3, 0, 0), "30 Dec 2025 to 2 Jan 2026"],
    [at(14, 3), at(14, 5), "14 Nov 2026, 03:00 to 05:00"],
    [at(14, 3), at(15), "14 Nov, 03:00 to 15 Nov 2026, 00:00"],
  ])("range %d to %d", (from, to, text) => expect(range(from, to)).toBe(text));

  it("lengths", () => {
    expect(plain(duration(4_000))).toBe("4 s");
    expect(plain(duration(3_600_000))).toBe("60 min");
    expect(plain(duration(5 * 86_400_000))).toBe("5 days");
    expect(span(7 * 86_400_000)).toBe("7 days");
    expect(span(28 * 86_400_000)).toBe("4 weeks");
    expect(plain(span(86_400_000))).toBe("24 h");
    expect(plain(span(135 * 60_000))).toBe("2 h 15 min");
    expect(plain(span(45 * 60_000))).toBe("45 min");
    expect(span(150_121 * 3_600_000)).toBe("17 years");
    expect(span(100.3 * 86_400_000)).toBe("100 days");
  });

  it.each([
    [at(20, 22), at(21, 22), "20–21 Nov"],
    [at(14), at(15), "14 Nov"],
    [at(29, 0, 9), at(26), "29 Oct–25 Nov"],
    [at(18, 13), at(18, 13) + 900_000, "18 Nov, 13:00–13:15"],
    [at(18, 23), at(19, 1), "18 Nov, 23:00–19 Nov, 01:00"],
    [at(20, 0, 10, 2025), at(22, 0, 10, 2025), "20 Nov 2025–21 Nov 2025"],
  ])("dates within a sentence: %d to %d", (from, to, text) => expect(dates(from, to, at(28))).toBe(text));

  it("of nothing", () => {
    expect(plain(span(0))).toBe("0 min");
  });
});

it.each([
  [at(21, 14), at(28, 14), "21 Nov 14:00 – 28 Nov 14:00"],
  [at(21, 14), at(21, 15), "21 Nov 14:00 – 15:00"],
  [at(30, 22, 11, 2025), at(2, 14, 0), "30 Dec 2025 22:00 – 2 Jan 2026 14:00"],
])("a short period: %d to %d", (from, to, text) => expect(shortRange(from, to, at(30))).toBe(text));
