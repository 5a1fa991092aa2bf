// Where there is nothing, or too little, the page says what to do.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { base, empty, type Looked, look, OUT, text } from "./browser";

const VIEWS = ["overview", "compare", "where", "networks", "how", "connections"];

describe.each([
  { name: "wide", width: 1440 },
  { name: "narrow", width: 360 },
])("an empty store, $name", ({ name, width }) => {
  let looked: Looked;
  beforeEach(async () => void (looked = await look({ viewport: { width, height: 900 } }, empty())));
  afterEach(() => looked.context.close());

  it("is explained on every view", async () => {
    for (const view of VIEWS) {
      await looked.open(`?view=${view}`);
      const said = await text(looked.page, "#view");
      if (view === "connections") expect(said).toContain("not shown here");
      else expect(said, view).toContain("cutshort import");
      expect(await looked.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await looked.page.screenshot({ path: `${OUT}empty-${view}-${name}.png`, fullPage: true });
    }
    expect(looked.problems).toEqual([]);
  });

  it("says which step has seen nothing yet", async () => {
    await looked.open("?view=status");
    await looked.page.screenshot({ path: `${OUT}empty-status-${name}.png`, fullPage: true });
    expect(await looked.page.locator(".step.none").count()).toBe(4);
    const todo = await text(looked.page, ".todo");
    for (const way of ["cutshort agent", "cutshort serve --capture", "cutshort doctor", "cutshort import", "cutshort demo"]) expect(todo).toContain(way);
    expect(await looked.page.locator(".simulated").isVisible()).toBe(false);
  });
});

describe("the demo", () => {
  let looked: Looked;
  beforeEach(async () => void (looked = await look({}, base())));
  afterEach(() => looked.context.close());

  it("says where there are connections when a time has none", async () => {
    await looked.open("?from=2020-01-01&to=2020-01-05&place=PT");
    expect(await text(looked.page, ".empty h2")).toBe("No data for this selection");
    await looked.page.locator('[data-key="empty-range"]').click();
    await looked.page.locator('[data-value="share"]').waitFor();
  });

  it("takes longer pieces of time where connections are few", async () => {
    await looked.open("?range=7d&place=IS&handshake=completed");
    await looked.page.screenshot({ path: `${OUT}sparse-wide.png`, fullPage: true });
    expect(await text(looked.page, "figure .sub")).toBe("Share of completed handshakes per day");
    expect(await text(looked.page, ".cut")).toContain("incomplete (dashed)");
  });

  it("says so when nobody has enough connections", async () => {
    await looked.open("?view=networks&least=10000&range=1d");
    expect(await text(looked.page, ".empty h2")).toBe("No network has that many connections");
    await looked.open("?view=networks&place=AS4200000139");
    expect(await text(looked.page, ".empty")).toContain("Networks of Switzerland");
  });

  it.each(["where", "networks"])("says so when it is not known where clients are: %s", async (view) => {
    await looked.page.route("**/top/**", async (route) => {
      const answer = (await (await route.fetch()).json()) as { result: { top_0: unknown[] } };
      answer.result.top_0 = [];
      await route.fulfill({ json: answer });
    });
    await looked.open(`?view=${view}&range=7d`);
    expect(await text(looked.page, ".empty h2")).toBe("No country or network of these clients is known");
    expect(await text(looked.page, ".empty")).toMatch(/private or reserved addresses\. [\d,]+ connections were sampled/);
  });

  it("names a place that is unknown by its code", async () => {
    await looked.open("?place=AS64496");
    expect(await text(looked.page, "h1")).toContain("AS64496");
    expect(await text(looked.page, ".empty h2")).toBe("No data for this selection");
  });
});

// What the server tells programs says nothing to people.
it("a server that wants a token asks people for it", async () => {
  const looked = await look();
  const { page } = looked;
  await page.route("**/client/**", async (route) => {
    if (route.request().headers()["authorization"] === "Bearer right") return route.continue();
    const message = "this needs a token: send 'Authorization: Bearer TOKEN'";
    return route.fulfill({ status: 401, json: { success: false, errors: [{ code: 10000, message }], messages: [], result: {} } });
  });
  await looked.open("?range=7d");
  const view = await text(page, "#view");
  expect(view).toContain("Access token required");
  expect(view).not.toContain("Authorization");
  await page.getByLabel("Token").fill("right");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator('[data-value="share"]').waitFor();
  await looked.context.close();
});
