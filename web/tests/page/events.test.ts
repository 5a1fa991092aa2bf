// What was found is marked on every chart of its place.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FoundEvent } from "../../src/api/wire";
import { api, type Looked, look } from "./browser";

let looked: Looked;
let found: FoundEvent;
let place: string;
beforeAll(async () => {
  looked = await look();
  await looked.open("?range=4w");
  const { events } = await api<{ events: FoundEvent[] }>(looked.page, "../cutshort/events?dateRange=4w&alarm=true&state=-retracted");
  const one = events.find((event) => event.place.startsWith("country:"));
  if (!one) throw new Error("the demo has no event of a country");
  found = one;
  place = one.place.slice("country:".length);
});
afterAll(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

it.each([
  ["the overview", ""],
  ["Compare, side by side", "&view=compare&with=CH"],
  ["Compare, overlaid", "&view=compare&with=CH&layout=over"],
  ["Servers", "&view=servers"],
])("is a span on the charts of %s, with its sentence", async (_, view) => {
  const { page } = looked;
  await looked.open(`?place=${place}&range=4w${view}`);
  expect(await page.locator("#view svg .marks rect.mark").count()).toBeGreaterThan(0);
  expect(await page.locator(".mark-list").allTextContents()).toEqual(expect.arrayContaining([expect.stringContaining(found.summary)]));
});

it("is a span on a chart in another page", async () => {
  const { page } = looked;
  await page.goto(new URL(`embed/stages?place=${place}&range=4w`, looked.page.url()).href);
  await page.locator("svg .marks rect.mark").first().waitFor();
  expect(await page.locator(".mark-list").textContent()).toContain(found.summary);
});
