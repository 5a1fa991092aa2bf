// Every view opens, on wide and narrow screens, light and dark, without errors or jumps, and is accessible.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { base, jumps, type Looked, look, OUT, shown } from "./browser";

const VIEWS: Record<string, string> = {
  overview: "?range=4w",
  events: "?view=events&range=4w",
  compare: "?view=compare&with=CH,PT&range=4w&control=1",
  "compare-over": "?view=compare&with=CH,PT&range=4w&control=1&layout=over",
  where: "?view=where&range=4w",
  networks: "?view=networks&place=CH&range=4w",
  servers: "?view=servers&range=4w",
  how: "?view=how&range=4w&term=signature-5",
  connections: "?view=connections",
  status: "?view=status",
  method: "?view=method&term=post_ack",
};
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What keeps people out, and what stands outside of landmarks. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const run = (window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } }).axe.run;
    return (await run()).violations;
  });
  const serious = violations.filter(({ id, impact }) => impact === "serious" || impact === "critical" || id === "region" || id.startsWith("landmark"));
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(" ")} ${failureSummary ?? ""}`).join("; ")}`);
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

describe.each([
  { name: "wide-light", width: 1440, colorScheme: "light" as const },
  { name: "narrow-dark", width: 360, colorScheme: "dark" as const },
  { name: "wide-dark", width: 1440, colorScheme: "dark" as const },
  { name: "narrow-light", width: 360, colorScheme: "light" as const },
  { name: "tablet-light", width: 768, colorScheme: "light" as const },
])("$name", ({ name, width, colorScheme }) => {
  let looked: Looked;
  beforeAll(async () => void (looked = await look({ viewport: { width, height: 900 }, colorScheme })));
  afterAll(() => looked.context.close());

  it.each(Object.entries(VIEWS))("%s", async (view, query) => {
    const { page, problems } = looked;
    await looked.open(query);
    expect(await jumps(page)).toBeLessThan(0.05);
    await page.screenshot({ path: `${OUT}${view}-${name}.png`, fullPage: true });
    expect(await page.locator("h1").count()).toBe(1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(await barriers(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it("the API's page", async () => {
    const { page } = looked;
    await page.goto(`${base()}docs`);
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole("link", { name: "Dashboard", exact: true }).click();
    await shown(page);
  });
});
