// Connections that a proxy opens to its upstreams: the second data set.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { base, type Looked, look, OUT, shown, text } from "./browser";
import { proxyCapture } from "./proxy";
import { address, PROGRAM } from "./server";

const DAY = 86_400_000;
/** A quarter of an hour that begins there, some days ago. */
const START = Math.floor((Date.now() - 2 * DAY) / DAY) * DAY + DAY / 2;

let folder: string;
let server: ChildProcess;
let home: string;
let looked: Looked;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cutshort-proxy-"));
  const [capture, data] = [join(folder, "proxy.pcap"), join(folder, "data")];
  writeFileSync(
    capture,
    proxyCapture(START, [
      { address: "198.51.100.10", port: 443, connections: 60, does: "answers" },
      { address: "198.51.100.20", port: 8080, connections: 20, does: "refuses" },
      { address: "203.0.113.30", port: 443, connections: 15, does: "is silent" },
    ]),
  );
  execFileSync(PROGRAM, ["import", "--origin", "--data", data, capture]);
  server = spawn(PROGRAM, ["serve", "--data", data, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, CUTSHORT_CONNECTIONS: "true", CUTSHORT_UPSTREAMS: "api=198.51.100.20" } });
  home = await address(server, "cutshort serve");
});

afterAll(() => {
  server.kill("SIGINT");
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

describe("a store with connections to other servers", () => {
  const time = `from=${new Date(START - DAY / 24).toISOString().slice(0, 16)}Z&to=${new Date(START + DAY / 24).toISOString().slice(0, 16)}Z`;

  beforeEach(async () => void (looked = await look({}, home)));
  afterEach(async () => {
    const { problems } = looked;
    await looked.context.close();
    expect(problems).toEqual([]);
  });

  it("offers them by a switch, and keeps that in the address", async () => {
    const { page } = looked;
    await looked.open("?view=method");
    await looked.open(`?data=origin&${time}`);
    expect(await page.getByRole("group", { name: "Data set" }).getByRole("button", { name: "Us → servers" }).getAttribute("aria-pressed")).toBe("true");
    // 20 were refused and 15 stayed silent, of 95.
    expect(await text(page, "#view")).toMatch(/36\.8 %|36\.\d+ %/);
    await page.screenshot({ path: `${OUT}origin-overview.png`, fullPage: true });
  });

  it("answers which upstream fails, and how, in one look", async () => {
    const { page } = looked;
    await looked.open(`?data=origin&view=networks&${time}`);
    expect(await page.locator('[aria-current="page"]').first().textContent()).toBe("Upstreams");
    const rows = page.getByRole("region", { name: /^Servers, with shares/ }).locator("tbody tr");
    expect(await rows.locator("th").allTextContents()).toEqual(["api 198.51.100.20:8080", "203.0.113.30:443", "198.51.100.10:443"]);
    const cells = async (row: number): Promise<string[]> => (await rows.nth(row).locator("td").allTextContents()).map((cell) => cell.replaceAll("\u202f", " "));
    expect((await cells(0)).slice(0, 2)).toEqual(["100.0 %", "100.0 %"]);
    expect((await cells(1)).slice(0, 4)).toEqual(["100.0 %", "0.0 %", "0.0 %", "100.0 %"]);
    const healthy = await cells(2);
    expect(healthy[0]).toBe("0.0 %");
    expect(healthy[6]).toMatch(/^(19|20|21) ms$/);
    expect(healthy.slice(8)).toEqual([expect.stringMatching(/^\d+$/), "–"]);
    expect((await cells(0))[9]).toMatch(/^\d+ \w{3}, \d\d:\d\d no success$/);
    expect(await text(page, "#view")).toContain("Most failures are to api, most often “refused”: 100.0 % of its connections.");
    await page.screenshot({ path: `${OUT}origin-upstreams.png`, fullPage: true });
  });

  it("leads from an upstream to its connections, and from there to the packets of both sides", async () => {
    const { page } = looked;
    await looked.open(`?data=origin&view=networks&${time}`);
    await page.getByRole("link", { name: /^api/ }).click();
    await shown(page);
    expect(new URL(page.url()).searchParams.get("f.server")).toBe("198.51.100.20");
    const rows = page.locator("#view table tbody tr");
    expect(await rows.count()).toBeGreaterThanOrEqual(20);
    await page.screenshot({ path: `${OUT}origin-connections.png`, fullPage: true });
    await rows.first().getByRole("button").first().click();
    const ladder = page.locator("svg.ladder");
    await ladder.waitFor();
    expect(await ladder.getAttribute("aria-label")).toBe("SYN from the client, then RST+ACK from the server");
  });

  it("shows all columns of upstreams on a narrow screen", async () => {
    const { page } = looked;
    await page.setViewportSize({ width: 360, height: 800 });
    await looked.open(`?data=origin&view=networks&${time}`);
    const cells = page.locator(".upstreams tbody tr").first().locator("td");
    expect(await cells.count()).toBe(10);
    for (const cell of await cells.all()) {
      const box = await cell.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? Infinity)).toBeLessThanOrEqual(360);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await page.screenshot({ path: `${OUT}origin-upstreams-narrow.png`, fullPage: true });
  });

  it("says that its data was imported", async () => {
    await looked.open("?view=status");
    expect(await text(looked.page, ".servers")).toContain("All data was imported from captures; no agent has reported.");
    expect(await text(looked.page, ".steps")).not.toContain("No data received yet");
  });

  it("forgets filters and terms of the other data set when it is left", async () => {
    const { page } = looked;
    await looked.open(`?data=origin&view=how&f.tag=refused&${time}`);
    await page.getByRole("button", { name: "Clients → us" }).click();
    await shown(page);
    const query = new URL(page.url()).searchParams;
    expect([query.get("data"), query.get("f.tag")]).toEqual([null, null]);
  });
});

it("is not offered where there is only one data set", async () => {
  const one = await look({}, base());
  await one.page.route("**/radar/status", async (route) => {
    const answer = (await (await route.fetch()).json()) as { result: { dataSets: { name: string }[] } };
    answer.result.dataSets = answer.result.dataSets.filter(({ name }) => name === "tcp");
    await route.fulfill({ json: answer });
  });
  await one.open("?range=7d");
  expect(await one.page.getByRole("group", { name: "Data set" }).count()).toBe(0);
  await one.context.close();
});
