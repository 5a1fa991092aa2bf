// Which time is shown: where the data are, all of them, in which steps and zone, and whether it is still the present.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Status } from "../../src/api/wire";
import { api, base, type Looked, look, shown, text } from "./browser";

let looked: Looked;
beforeEach(async () => void (looked = await look({ timezoneId: "America/New_York", locale: "en-US" })));
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const DAY = 86_400_000;
const search = (): URLSearchParams => new URL(looked.page.url()).searchParams;

async function choose(key: string, value: string): Promise<void> {
  const { page } = looked;
  await page.locator('[data-key="custom-range"]').click();
  await page.locator(`[data-key="${key}"]`).selectOption(value);
  await shown(page);
}

describe("the time", () => {
  it("is written with 24 hours, whatever the browser's language", async () => {
    const { page } = looked;
    await looked.open("?from=2026-11-20T15:00Z&to=2026-11-22T16:30Z");
    await page.locator('[data-key="custom-range"]').click();
    expect(await page.getByLabel("From, UTC", { exact: true }).inputValue()).toBe("2026-11-20 15:00");
    expect(await page.getByLabel("To, UTC", { exact: true }).inputValue()).toBe("2026-11-22 16:30");
    await page.locator('.time-field input[type="date"]').first().evaluate((day: HTMLInputElement) => {
      day.value = "2026-11-19";
      day.dispatchEvent(new Event("change", { bubbles: true }));
    });
    expect(await page.getByLabel("From, UTC", { exact: true }).inputValue()).toBe("2026-11-19 15:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForFunction(() => location.search.includes("from=2026-11-19T15:00Z"));
  });

  it("is the latest that has data if the last week has none, and that is said", async () => {
    const { page } = looked;
    const to = Math.floor(Date.now() / DAY) * DAY - 10 * DAY;
    await page.route("**/radar/status", async (route) => {
      const answer = (await (await route.fetch()).json()) as { result: Status };
      Object.assign(answer.result.windows, { from: new Date(to - 20 * DAY).toISOString(), to: new Date(to).toISOString() });
      await route.fulfill({ json: answer });
    });
    await page.goto(base());
    await shown(page);
    expect(Date.parse(search().get("to") ?? "")).toBe(to);
    expect(Date.parse(search().get("from") ?? "")).toBe(to - 7 * DAY);
    expect(await text(page, ".latest-note")).toBe("No data has come in during the last 7 days. Shown are the latest 7 days of data.");
    expect(await text(page, "[data-value=share]")).toMatch(/%/);
    await page.getByRole("button", { name: "7 d", exact: true }).click();
    await page.waitForFunction(() => !location.search.includes("from="));
    await expect.poll(() => page.locator(".latest-note").isVisible()).toBe(false);
  });

  it("can be all there is", async () => {
    const { page } = looked;
    await looked.open("?range=7d");
    const { windows } = await api<Status>(page, "status");
    const asked: string[] = [];
    page.on("request", (request) => request.url().includes("summary/stage") && asked.push(request.url()));
    await page.getByRole("button", { name: "All", exact: true }).click();
    await page.waitForFunction(() => location.search.includes("range=all"));
    await shown(page);
    const [from, to] = [new URL(asked[0] ?? "").searchParams.get("dateStart"), new URL(asked[0] ?? "").searchParams.get("dateEnd")];
    expect([Date.parse(from ?? ""), Date.parse(to ?? "")]).toEqual([Date.parse(windows.from ?? ""), Date.parse(windows.to ?? "")]);
    expect(await page.getByRole("button", { name: "All", exact: true }).getAttribute("aria-pressed")).toBe("true");
  });

  it("is cut into steps of one's own", async () => {
    const { page } = looked;
    await looked.open("?range=7d");
    for (const [step, said] of [["1d", "day"], ["15m", "15 minutes"], ["1h", "hour"]] as const) {
      await choose("step", step);
      await page.waitForFunction((step) => location.search.includes(`step=${step}`), step);
      await shown(page);
      expect(await text(page, "figure .sub")).toBe(`Share of connections per ${said}`);
    }
    await looked.open("?range=52w&step=15m");
    expect(await text(page, "figure .sub")).not.toContain("minutes");
    await page.locator('[data-key="custom-range"]').click();
    expect(await page.locator('[data-key="step"] option[value="15m"]').isDisabled()).toBe(true);
  });

  it("is said in the reader's zone or in the place's", async () => {
    const { page } = looked;
    const query = "?place=JP&from=2026-11-20T15:00Z&to=2026-11-22T15:00Z";
    await looked.open(query);
    const period = (): Promise<string | null> => page.locator(".period").getAttribute("title");
    expect(await period()).toBe("20 Nov, 15:00 to 22 Nov 2026, 15:00 UTC");
    await choose("zone", "place");
    await page.waitForFunction(() => location.search.includes("tz=place"));
    await expect.poll(period).toBe("21 to 22 Nov 2026 Tokyo time");
    const ticks = await page.locator(".axis-x text").first().textContent();
    expect(ticks).toMatch(/^\d\d:00$|Nov$/);
    await choose("zone", "local");
    await expect.poll(period).toBe("20 Nov, 10:00 to 22 Nov 2026, 10:00 New York time");
    await page.locator('[data-key="custom-range"]').click();
    await page.getByLabel("From, New York time", { exact: true }).fill("2026-11-20T00:00");
    await page.getByLabel("To, New York time", { exact: true }).fill("2026-11-22T00:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForFunction(() => location.search.includes("from=2026-11-20T05:00Z"));
    expect(search().get("to")).toBe("2026-11-22T05:00Z");
  });
});

it("says as of when, and when the server stops answering", async () => {
  const { page } = looked;
  await page.clock.install();
  await looked.open("?range=7d");
  expect(await text(page, ".as-of")).toMatch(/^as of \d\d:\d\d$/);
  expect(await page.locator(".unreached").isVisible()).toBe(false);
  await page.route("**/healthz", (route) => route.abort());
  await page.clock.fastForward("00:05");
  await page.locator(".unreached").waitFor({ state: "visible" });
  expect(await text(page, ".unreached")).toMatch(/^The server does not answer since \d\d:\d\d\. What is shown is as of \d\d:\d\d UTC\./);
  await page.unroute("**/healthz");
  await page.clock.fastForward("00:05");
  await page.locator(".unreached").waitFor({ state: "hidden" });
  looked.problems = looked.problems.filter((problem) => !problem.includes("ERR_FAILED"));
});

it("says within ten seconds that the server hangs", async () => {
  const { page } = looked;
  await looked.open("?range=7d");
  await page.route("**/healthz", () => undefined);
  await page.locator(".unreached").waitFor({ state: "visible", timeout: 10_000 });
  await page.unrouteAll({ behavior: "ignoreErrors" });
});
