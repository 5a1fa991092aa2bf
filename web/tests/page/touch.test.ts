// What fingers do: a tap reads values, a drag zooms.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Status } from "../../src/api/wire";
import { api, base, type Looked, look, OUT, shown } from "./browser";

/** A chart's place on the screen. */
async function chartBox({ page }: Looked): Promise<{ x: number; y: number; width: number }> {
  const chart = page.locator(".plot svg").first();
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  if (!box) throw new Error("there is no chart");
  return box;
}

/** A finger that goes down, moves and is lifted. */
async function drag({ context, page }: Looked, y: number, ...xs: readonly number[]): Promise<void> {
  const devtools = await context.newCDPSession(page);
  const send = (type: "touchStart" | "touchMove" | "touchEnd", touchPoints: { x: number; y: number }[]) => devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
  const [first = 0, ...others] = xs;
  await send("touchStart", [{ x: first, y }]);
  for (const x of others) await send("touchMove", [{ x, y }]);
  await send("touchEnd", []);
  await devtools.detach();
}

describe.each([
  { name: "wide", width: 1440 },
  { name: "narrow", width: 360 },
])("a finger on a chart, $name", ({ name, width }) => {
  let looked: Looked;
  beforeEach(async () => void (looked = await look({ viewport: { width, height: 800 }, hasTouch: true, isMobile: width < 640 })));
  afterEach(async () => {
    const { problems } = looked;
    await looked.context.close();
    expect(problems).toEqual([]);
  });
  const search = (): string => new URL(looked.page.url()).search;
  const tip = () => looked.page.locator(".plot .tip").first();

  it.each(["?range=7d", "?view=compare&place=PT&with=CH&range=7d&layout=over"])("reads values by a tap, and changes nothing: %s", async (query) => {
    const { page } = looked;
    await looked.open(query);
    for (const part of [0.3, 0.5, 0.8]) {
      const box = await chartBox(looked);
      await page.touchscreen.tap(box.x + box.width * part, box.y + 120);
      await expect.poll(() => tip().isVisible()).toBe(true);
      expect(await tip().textContent()).toMatch(/UTC.*%/);
      expect(search()).toBe(query);
    }
    await page.screenshot({ path: `${OUT}tap-${name}.png` });
    await page.locator("h1").tap();
    await expect.poll(() => tip().isVisible()).toBe(false);
    expect(search()).toBe(query);
  });

  it("does not zoom by a tap that trembles, but by a drag, and never to before the data", async () => {
    const { page } = looked;
    await looked.open("?range=7d");
    const { x, y, width: wide } = await chartBox(looked);
    await drag(looked, y + 120, x + wide / 2, x + wide / 2 + 6, x + wide / 2 - 4);
    await expect.poll(() => tip().isVisible()).toBe(true);
    expect(search()).toBe("?range=7d");
    await drag(looked, y + 120, x + wide * 0.5, x + wide * 0.6, x + wide * 0.75);
    await page.waitForFunction(() => location.search.includes("from="));
    await shown(page);
    const { windows } = await api<Status>(page, "status");
    const from = Date.parse(new URLSearchParams(search()).get("from") ?? "");
    expect(from).toBeGreaterThanOrEqual(Date.parse(windows.from ?? ""));
    const days = (Date.parse(new URLSearchParams(search()).get("to") ?? "") - from) / 86_400_000;
    expect(days).toBeGreaterThan(1);
    expect(days).toBeLessThan(3);
  });

  it("reads values in another page, too", async () => {
    const { page } = looked;
    await page.goto(`${base()}embed/stages?place=PT&range=7d`);
    await page.locator("svg.chart .area").first().waitFor();
    const box = await chartBox(looked);
    await page.touchscreen.tap(box.x + box.width / 2, box.y + 60);
    await expect.poll(() => tip().isVisible()).toBe(true);
    expect(await tip().textContent()).toMatch(/UTC.*%/);
  });
});
