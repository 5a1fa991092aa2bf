// An address that cannot be read shows what is wrong with it, and never the numbers of something else.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { base, type Looked, look, OUT, shown, text } from "./browser";

let looked: Looked;
beforeAll(async () => void (looked = await look()));
afterAll(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

describe("an address that cannot be read", () => {
  it.each([
    ["?place=Portugal", "No place is called “Portugal”", "Did you mean PT (Portugal)?"],
    ["?place=PRT", "No place is called “PRT”", "Did you mean PT (Portugal)?"],
    ["?place=AS99999999999", "No place is called “AS99999999999”", "AS13335"],
    ["?view=compare&place=PT&with=Spain", "No place is called “Spain”", "ES (Spain)"],
    ["?view=nosuch", "No view is called “nosuch”", "overview, events"],
    ["?from=2026-11-20T00:00Z&to=2026-11-19T00:00Z", "This is not a time", "the end must come after the beginning"],
    ["?range=500x", "“500x” is not a time", "range=4w"],
    ["?handshake=complete", "“complete” is not a value of handshake", "without it"],
  ])("%s", async (query, heading, help) => {
    const { page } = looked;
    await looked.open(query);
    expect(await text(page, "#view h2")).toBe(heading);
    expect(await text(page, "#view")).toContain(help);
    expect(await page.locator('[data-value="share"], .plot').count()).toBe(0);
    expect(await page.locator("h1:visible").count()).toBe(0);
    expect(await page.title()).toBe("Not found · cutshort");
    await page.goto(`${base()}embed/stages${query}`);
    if (!query.includes("view=")) expect(await text(page, "[role=alert]")).toContain("cannot be shown");
  });

  it("adds to what is compared what was meant", async () => {
    await looked.open("?view=compare&place=PT&with=CH,Spain");
    await looked.page.getByRole("link", { name: "ES (Spain)" }).click();
    await looked.page.waitForFunction(() => location.search === "?view=compare&place=PT&with=CH,ES");
    await shown(looked.page);
  });

  it("leads to what was meant, and back", async () => {
    const { page } = looked;
    await looked.open("?place=Portugal&range=4w");
    await page.screenshot({ path: `${OUT}wrong-place.png` });
    await page.getByRole("link", { name: "PT (Portugal)" }).click();
    await page.getByRole("heading", { level: 1, name: /Portugal/ }).waitFor();
    await shown(page);
    expect(new URL(page.url()).search).toBe("?place=PT&range=4w");
    await page.goBack();
    await page.getByRole("heading", { name: "No place is called" }).waitFor();
    await page.getByRole("link", { name: "Show the world" }).click();
    await page.getByRole("heading", { level: 1, name: /World/ }).waitFor();
    expect(new URL(page.url()).search).toBe("?range=4w");
  });
});

describe.each([{ name: "wide", width: 1440 }, { name: "narrow", width: 360 }])("a table that is opened, $name", ({ width }) => {
  it("stays open in the address, until something else is shown", async () => {
    const { page } = looked;
    await page.setViewportSize({ width, height: 900 });
    await looked.open("?place=CH&range=7d");
    await page.locator('[data-key="table:stages"]').click();
    expect(new URL(page.url()).searchParams.get("open")).toBe("table-stages");
    await page.reload();
    await shown(page);
    expect(await page.locator("figure table tbody tr").count()).toBeGreaterThan(5);
    expect(await page.locator('[data-key="table:stages"]').getAttribute("aria-expanded")).toBe("true");
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.locator('[data-key="table:stages"]').click();
    expect(new URL(page.url()).searchParams.has("open")).toBe(false);
    await page.locator('[data-key="table:stages"]').click();
    await page.locator('[data-key="tab:how"]').click();
    await shown(page);
    expect(new URL(page.url()).searchParams.has("open")).toBe(false);
  });
});

describe("the map", () => {
  it.each([["light", "any"], ["dark", "any"], ["light", "post_ack"], ["dark", "later_in_flow"]] as const)("has distinguishable colours: %s, %s", async (colorScheme, stage) => {
    const { page } = looked;
    await page.emulateMedia({ colorScheme });
    await looked.open(`?view=where&range=4w&stage=${stage}`);
    const apart = await page.locator(".map-key .key-colour").evaluateAll((all) => {
      const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      // Lightness as in CIELAB, by which these colours differ.
      const lightness = all.map((one) => {
        if (!brush) return NaN;
        brush.fillStyle = getComputedStyle(one).backgroundColor;
        brush.fillRect(0, 0, 1, 1);
        const [r = 0, g = 0, b = 0] = [...brush.getImageData(0, 0, 1, 1).data].map((n) => ((n / 255 + 0.055) / 1.055) ** 2.4);
        return 116 * Math.cbrt(0.2126 * r + 0.7152 * g + 0.0722 * b) - 16;
      });
      return lightness.slice(1).map((light, at) => Math.abs(light - (lightness[at] ?? NaN)));
    });
    expect(apart.length).toBe(6);
    for (const step of apart) expect(step).toBeGreaterThan(4.5);
    await page.screenshot({ path: `${OUT}map-${stage}-${colorScheme}.png` });
    await page.emulateMedia({ colorScheme: null });
  });

  it("does not draw French Guiana and Svalbard as parts of their states", async () => {
    await looked.open("?view=where&range=4w");
    const box = async (code: string) => (await looked.page.locator(`path[data-code="${code}"]`).boundingBox()) ?? { x: NaN, y: NaN, width: NaN, height: NaN };
    const [guiana, france, svalbard, norway] = [await box("GF"), await box("FR"), await box("SJ"), await box("NO")];
    expect(guiana.x + guiana.width).toBeLessThan(france.x);
    expect(svalbard.y + svalbard.height).toBeLessThan(norway.y);
  });
});

describe("the part of the map", () => {
  it("is that of the place, or the one that the address names", async () => {
    const { page } = looked;
    const width = async (code: string): Promise<number> => (await page.locator(`path[data-code="${code}"]`).boundingBox())?.width ?? 0;
    await looked.open("?view=where&range=4w");
    const small = await width("DE");
    await page.getByRole("button", { name: "Europe", exact: true }).click();
    await page.waitForFunction(() => location.search.includes("map=EU"));
    await shown(page);
    expect(await width("DE")).toBeGreaterThan(3 * small);
    await page.screenshot({ path: `${OUT}map-europe.png` });
    await looked.open("?view=where&range=4w&place=continent-EU");
    expect(await width("DE")).toBeGreaterThan(3 * small);
    await page.getByRole("button", { name: "World", exact: true }).click();
    await page.waitForFunction(() => location.search.includes("map=world"));
    await shown(page);
    expect(await width("DE")).toBeLessThan(2 * small);
  });
});
