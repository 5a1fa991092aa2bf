// On a phone: the chart comes soon, and tables show all of their columns.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Looked, look, OUT, shown, text } from "./browser";

let looked: Looked;
beforeEach(async () => void (looked = await look({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true })));
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

it.each([["?range=7d", 520], ["?data=quic&range=7d", 520], ["?place=CH&range=7d", 560], ["?view=where&range=7d", 500], ["?view=networks&place=CH&range=7d", 520]])("the first chart is not far down: %s", async (query, most) => {
  const { page } = looked;
  await looked.open(query);
  expect((await page.locator("figure").first().boundingBox())?.y).toBeLessThan(most);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

it.each(["?range=7d", "?from=2026-10-29T22:15Z&to=2026-11-28T08:45Z", "?place=IR&zone=place&range=7d"])("the period stands in one line: %s", async (query) => {
  const { page } = looked;
  await looked.open(query);
  expect((await page.locator(".when").boundingBox())?.height).toBeLessThan(28);
  expect(await page.locator(".when").evaluate((line) => line.scrollWidth <= line.clientWidth)).toBe(true);
});

it("more views than fit are faded out at the edge, until the last one is shown", async () => {
  const { page } = looked;
  await looked.open("?range=7d");
  expect(await page.locator("nav.tabs.overflows").count()).toBe(1);
  await looked.open("?view=method");
  expect(await page.locator("nav.tabs.overflows").count()).toBe(0);
});

it("a chart has its tools in one line", async () => {
  const { page } = looked;
  await looked.open("?range=7d");
  expect((await page.locator("figure .tools").first().boundingBox())?.height).toBeLessThan(44);
});

it("the cards stand below the chart, and the data set and filters in one line", async () => {
  const { page } = looked;
  await looked.open("?range=7d");
  const top = async (selector: string): Promise<number> => (await page.locator(selector).first().boundingBox())?.y ?? NaN;
  expect(await top(".cards")).toBeGreaterThan(await top("figure"));
  expect(await top('[data-key="filter-menu"]')).toBeCloseTo(await top('[aria-label="Data set"]'), -1);
  await page.getByRole("button", { name: "QUIC" }).tap();
  await page.waitForFunction(() => location.search.includes("data=quic"));
  await shown(page);
  await page.screenshot({ path: `${OUT}narrow-quic.png` });
});

describe("a table", () => {
  /** Cells of a line that are not wholly on the screen. */
  const clipped = (row: string): Promise<string[]> =>
    looked.page.locator(`${row} > *`).evaluateAll((cells) => cells.filter((cell) => {
      const { left, right, width } = cell.getBoundingClientRect();
      return width === 0 || left < 0 || right > 360 || cell.scrollWidth > cell.clientWidth + 1;
    }).map((cell) => cell.textContent ?? ""));

  it("of connections has all of its columns, sorts, and opens a connection", async () => {
    const { page } = looked;
    await looked.open("?view=connections&range=1d");
    const row = page.locator("table.connections tbody tr").first();
    expect(await row.locator("th, td").count()).toBe(7);
    expect(await clipped("table.connections tbody tr:first-child")).toEqual([]);
    expect(await row.locator("td").evaluateAll((cells) => cells.map((cell) => cell.getAttribute("data-label")))).toEqual(["Stage", "Signature", "From", "Client", "To", "Packets"]);
    await page.locator('[data-key="sort:packets"]').tap();
    await page.waitForFunction(() => location.search.includes("sort=-packets"));
    await shown(page);
    await page.locator('[data-key="connection:0"]').tap();
    await page.locator(".explained h3").first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await page.screenshot({ path: `${OUT}narrow-connections.png` });
  });

  it("of totals has all of its columns", async () => {
    await looked.open("?view=compare&place=PT&with=CH&range=7d");
    expect(await clipped(".stacked tbody tr:first-child")).toEqual([]);
    expect(await text(looked.page, ".stacked tbody th")).toBe("Portugal");
  });
});

describe("on a tablet", () => {
  beforeEach(async () => looked.page.setViewportSize({ width: 768, height: 1024 }));

  it.each(["?view=connections&range=1d", "?view=networks&data=origin&range=7d", "?view=events&range=4w", "?view=where&range=7d"])("nothing must be scrolled sideways: %s", async (query) => {
    const { page } = looked;
    await looked.open(query);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(768);
    const tables = await page.locator(".table-scroll").evaluateAll((boxes) => boxes.map((box) => box.scrollWidth - box.clientWidth));
    expect(tables.filter((over) => over > 0)).toEqual([]);
    await page.screenshot({ path: `${OUT}tablet-${new URL(page.url()).searchParams.get("view")}.png` });
  });
});
