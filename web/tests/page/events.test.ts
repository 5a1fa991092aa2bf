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

it("is shown by itself under the address that alarms have, and can be dismissed with a token", async () => {
  const { page } = looked;
  await looked.open(`?view=events&event=${found.id}`);
  const named = page.locator("[data-key=named]");
  expect(await named.textContent()).toContain(found.summary);
  const menu = named.locator("details");
  await menu.locator("summary").click();
  await menu.getByLabel("Why").fill("a test");
  // The server refuses it without a token.
  await menu.getByRole("button", { name: "Dismiss" }).click();
  await menu.getByLabel("Token").waitFor();
  expect(await menu.getByRole("alert").textContent()).toContain("cutshort token create");

  const sent: { method: string; token: string | undefined; body: unknown }[] = [];
  await page.route("**/cutshort/events/*/review", async (route) => {
    const request = route.request();
    sent.push({ method: request.method(), token: request.headers()["authorization"], body: request.postDataJSON() });
    await route.fulfill({ json: { success: true, errors: [], messages: [], result: {} } });
  });
  await menu.getByLabel("Token").fill("secret");
  await menu.getByRole("button", { name: "Dismiss" }).click();
  await expect.poll(() => sent).toEqual([{ method: "POST", token: "Bearer secret", body: { decision: "dismissed", note: "a test" } }]);
  await looked.open("?view=events&event=0000000000000000");
  expect(await named.textContent()).toContain("no such event");
  // The refusals of this test are no problems of the page.
  looked.problems.splice(0, looked.problems.length, ...looked.problems.filter((problem) => !/401|404/.test(problem)));
});
