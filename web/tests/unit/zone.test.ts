// Times in other zones than UTC.
import { afterEach, describe, expect, it } from "vitest";
import { utcScale } from "../../src/charts/scale";
import { clock, moment, range } from "../../src/ui/format";
import { fromZone, inZone, useZone, zoneId, zoneName, zoneOf } from "../../src/ui/zone";
import { isStep, stepOf, type Range } from "../../src/state/url";

const at = Date.UTC(2026, 10, 21, 20, 45);
afterEach(() => useZone("UTC"));

describe("a zone", () => {
  it("is UTC at first", () => expect([zoneName(), clock(at)]).toEqual(["UTC", "20:45"]));

  it("says times by its own clock, half hours and the next day included", () => {
    useZone("Asia/Tehran");
    expect([zoneName(), moment(at)]).toEqual(["Tehran time", "Sun 22 Nov 2026, 00:15"]);
    expect(range(Date.UTC(2026, 10, 20, 20, 30), Date.UTC(2026, 10, 22, 20, 30))).toBe("21 to 22 Nov 2026");
  });

  it("changes with summer time, and is read back", () => {
    useZone("Europe/Berlin");
    for (const [time, said] of [[Date.UTC(2026, 2, 29, 0, 45), "01:45"], [Date.UTC(2026, 2, 29, 1, 0), "03:00"], [Date.UTC(2026, 9, 25, 2, 0), "03:00"]] as const) {
      expect(clock(time)).toBe(said);
      expect(fromZone(inZone(time))).toBe(time);
    }
  });

  it("has ticks at its own midnight", () => {
    useZone("America/New_York");
    const ticks = utcScale([Date.UTC(2026, 10, 20), Date.UTC(2026, 10, 24)], [0, 400]).ticks(4);
    expect(ticks.map(clock)).toEqual(ticks.map(() => "00:00"));
  });

  it("of a country with several fits its longitude", () => {
    expect(zoneOf("IR", 53)).toBe("Asia/Tehran");
    expect(inZoneOf("US", -90)).toBe(-6);
    expect(inZoneOf("RU", 100)).toBe(7);
    expect(zoneId("place", null)).toBe("UTC");
  });
});

/** Hours ahead of UTC in winter. */
function inZoneOf(country: string, longitude: number): number {
  useZone(zoneOf(country, longitude) ?? "UTC");
  const winter = Date.UTC(2026, 0, 15);
  return (inZone(winter) - winter) / 3_600_000;
}

describe("a step", () => {
  const last = (span: string): Range => ({ kind: "last", span });
  it("fits a time that has two of it at least, and not too many", () => {
    expect(["15m", "1h", "1d", "1w"].map((step) => isStep(step as "1h", last("1d")))).toEqual([true, true, false, false]);
    expect(["15m", "1h", "1d", "1w"].map((step) => isStep(step as "1h", last("52w")))).toEqual([false, false, true, true]);
    expect(stepOf({ step: "15m", range: last("52w") })).toBe("");
  });
});
