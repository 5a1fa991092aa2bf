// What leaves the page: by one Share menu, or on paper.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Looked, look, OUT, shown, text } from "./browser";

let looked: Looked;
beforeEach(async () => void (looked = await look()));
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const openMenu = async (figure: string): Promise<void> => looked.page.locator(`[data-key="share:${figure}"]`).click();

async function png(figure: string, format: string): Promise<{ width: number; height: number; name: string }> {
  const { page } = looked;
  await openMenu(figure);
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator(`.menu[open] [data-format="${format}"]`).click()]);
  const bytes = readFileSync(await file.path());
  await file.saveAs(`${OUT}share-${figure}-${format}.png`);
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), name: file.suggestedFilename() };
}

describe("the Share menu", () => {
  it("has links to this time and to the latest", async () => {
    const { page } = looked;
    await looked.open("?place=CH&range=7d&handshake=completed");
    await openMenu("stages");
    expect(await page.locator(".menu[open] h3").allTextContents()).toEqual(["Link", "Picture", "Numbers"]);
    expect(await page.locator(".menu[open]").getByLabel("Always the latest", { exact: true }).inputValue()).toBe(page.url());
    const fixed = await page.locator(".menu[open]").getByLabel("This period", { exact: true }).inputValue();
    expect(fixed).toMatch(/\?place=CH&handshake=completed&from=.*&to=/);
    await page.locator(".menu[open] .share-link button").first().click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(fixed);
    const share = await text(page, "[data-value=share]");
    await page.goto(fixed);
    await shown(page);
    expect(await text(page, "[data-value=share]")).toBe(share);
  });

  it.each([["stages", "?place=CH&range=7d"], ["where", "?view=where&range=7d"], ["servers", "?view=servers&range=7d"], ["tags", "?view=how&range=7d"]])("has pictures of %s in usual shapes", async (figure, query) => {
    await looked.open(query);
    const before = await looked.page.locator("figure").first().boundingBox();
    const wide = await png(figure, "png-wide");
    expect([wide.width, wide.height]).toEqual([1920, 1080]);
    expect(wide.name).toMatch(/wide\.png$/);
    const square = await png(figure, "png-square");
    expect([square.width, square.height]).toEqual([1080, 1080]);
    expect((await looked.page.locator("figure").first().boundingBox())?.width).toBe(before?.width);
  });

  it("opens by a finger, and fits a narrow screen", async () => {
    await looked.context.close();
    looked = await look({ viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true });
    const { page } = looked;
    await looked.open("?range=7d");
    await page.locator('[data-key="share:stages"]').tap();
    const panel = page.locator(".menu[open] .menu-panel");
    await expect.poll(async () => (await panel.boundingBox())?.x ?? -1).toBeGreaterThanOrEqual(0);
    const box = await panel.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(360);
    await page.screenshot({ path: `${OUT}share-narrow.png` });
  });
});

it("prints what is read, without what is pressed", async () => {
  const { page } = looked;
  await looked.open("?place=CH&range=7d&f.port=443");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  for (const selector of [".tabs", ".tools", ".search input", ".switches", ".filter-menu"]) expect(await page.locator(selector).first().isVisible(), selector).toBe(false);
  for (const selector of ["h1", ".period", ".simulated", ".filter-chips .chip", "svg.chart", "footer"]) expect(await page.locator(selector).first().isVisible(), selector).toBe(true);
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe("rgb(255, 255, 255)");
  const pdf = await page.pdf({ path: `${OUT}print.pdf`, printBackground: true });
  expect(pdf.length).toBeGreaterThan(10_000);
  await page.screenshot({ path: `${OUT}print.png`, fullPage: true });
});

describe("the search", () => {
  it.each([
    ["USA", "United States"], ["uk", "United Kingdom"], ["UAE", "United Arab Emirates"], ["Türkiye", "Turkey"], ["turkiye", "Turkey"], ["Côte d'Ivoire", "Ivory Coast"], ["Deutschland", "Germany"],
    ["Burma", "Myanmar"], ["PRT", "Portugal"], ["mar", "Morocco"], ["korea", "South Korea"], ["schweiz", "Switzerland"], ["日本", "Japan"],
  ])("knows a country as %s", async (query, name) => {
    const { page } = looked;
    await looked.open("?range=7d");
    await page.keyboard.press("/");
    await page.locator('[data-key="search"]').fill(query);
    const code = { Turkey: "TR", "Ivory Coast": "CI", Myanmar: "MM", "South Korea": "KR" }[name];
    const first = page.getByRole("option").first();
    if (code) await expect.poll(() => first.textContent(), { timeout: 15_000 }).toContain(`Country ${code}`);
    else await expect.poll(() => first.textContent(), { timeout: 15_000 }).toContain(name);
  });

  it("says how many connections each has in the time", async () => {
    const { page } = looked;
    await looked.open("?range=7d");
    await page.keyboard.press("/");
    await page.keyboard.type("switzerland");
    await expect.poll(() => page.getByRole("option").first().textContent(), { timeout: 15_000 }).toMatch(/^SwitzerlandCountry CH · [\d.]+.?k? sampled$/);
    await page.locator('[data-key="search"]').fill("vatican");
    await expect.poll(() => page.getByRole("option").first().textContent(), { timeout: 15_000 }).toMatch(/ · no data$/);
  });
});
