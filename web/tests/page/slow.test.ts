// A server that answers late: what is shown belongs to what was asked for, or says that it is on its way.
import { afterAll, beforeAll, expect, it } from "vitest";
import { base, type Looked, look, shown, text } from "./browser";

let looked: Looked;
beforeAll(async () => void (looked = await look()));
afterAll(() => looked.context.close());

it("says so at first, and when another tab is opened, whose place the old one does not take", async () => {
  const { page } = looked;
  let delay = 1500;
  await page.route("**/client/**", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, delay));
    await route.continue();
  });
  await page.goto(`${base()}?range=7d`);
  await expect.poll(() => text(page, ".loading")).toBe("Loading…");
  expect(await page.locator(".loading").isVisible()).toBe(true);
  expect(await page.locator("#view.skeleton").count()).toBe(1);
  await shown(page);
  expect(await page.locator(".loading").isVisible()).toBe(false);
  delay = 2500;
  await page.locator('[data-key="tab:how"]').click();
  await expect.poll(() => text(page, ".loading")).toBe("Loading…");
  expect(await page.locator('[data-value="share"]').isVisible()).toBe(false);
  expect(await page.locator("#view.skeleton").count()).toBe(1);
  await page.getByRole("heading", { name: "Connection lifecycle: from SYN to close" }).waitFor();
  expect(await page.locator(".loading").isVisible()).toBe(false);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});
