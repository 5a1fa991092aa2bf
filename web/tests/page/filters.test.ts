// Filters: set by a panel or by clicking a value, said by chips, kept in the address, obeyed everywhere.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GroupsAnswer } from "../../src/api/wire";
import { count, percent } from "../../src/ui/format";
import { api, base, type Looked, look, OUT, shown, text } from "./browser";

let looked: Looked;
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const search = (): URLSearchParams => new URL(looked.page.url()).searchParams;
const plain = (given: string): string => given.replaceAll("\u202f", " ");
const chips = (): Promise<string[]> => looked.page.locator(".filter-chips .chip").evaluateAll((all) => all.map((one) => one.firstChild?.textContent ?? ""));
const DATA = "tcp_resets_timeouts";

describe("filters", () => {
  beforeEach(async () => void (looked = await look()));

  it("are chosen in a panel, shown as chips, and removed there", async () => {
    const { page } = looked;
    await looked.open("?range=7d");
    for (const [key, value] of [["node", "edge1"], ["port", "443"], ["ipVersion", "IPv6"]] as const) {
      await page.locator('[data-key="filter-menu"]').click();
      await page.locator(`[data-key="filter:${key}"]`).selectOption(value);
      await page.waitForFunction((key) => location.search.includes(`f.${key}`), key);
      await shown(page);
    }
    expect(await chips()).toEqual(["Server edge1", "Port 443", "IPv6"]);
    const { counts, ...answer } = await api<GroupsAnswer>(page, `${DATA}/summary/stage?dateRange=7d&node=edge1&port=443&ipVersion=IPv6&counts=true`);
    const shares = answer["summary_0"] as Record<string, string>;
    expect(await text(page, "[data-value=sampled]")).toBe(count(counts["summary_0"]?.total.sampled[0] ?? 0));
    expect(await text(page, "[data-value=share]")).toBe(plain(percent(100 - Number(shares["no_match"]))));
    await page.screenshot({ path: `${OUT}filters-wide.png` });
    await page.getByRole("button", { name: "Remove port 443" }).click();
    await page.waitForFunction(() => !location.search.includes("f.port"));
    expect(await chips()).toEqual(["Server edge1", "IPv6"]);
    await page.goBack();
    await page.waitForFunction(() => location.search.includes("f.port"));
    expect(search().get("f.node")).toBe("edge1");
  });

  it("find a network, which the chip leads back from", async () => {
    const { page } = looked;
    await looked.open("?range=7d");
    await page.locator('[data-key="filter-menu"]').click();
    await page.locator('[data-key="filter:network"]').fill("zero-rating mobile (CH)");
    await page.getByRole("option", { name: /Zero-Rating Mobile \(CH\)/ }).click();
    await page.getByRole("heading", { level: 1, name: /Zero-Rating Mobile/ }).waitFor();
    await shown(page);
    expect((await chips())[0]).toMatch(/^Network .*Zero-Rating Mobile/);
    await page.locator('[data-key="unfilter:place"]').click();
    await page.getByRole("heading", { level: 1, name: /Switzerland/ }).waitFor();
  });

  it.each(["compare", "where", "networks", "servers", "how", "connections"])("are obeyed by %s, and stay when views change", async (view) => {
    const { page } = looked;
    const asked: string[] = [];
    page.on("request", (request) => request.url().includes(`${DATA}/`) && !/\/terms|summary\/port/.test(request.url()) && asked.push(request.url()));
    await looked.open(`?view=${view}&range=1d&f.node=edge2&f.ipVersion=IPv4`);
    // Which time there is data of is asked without: it is the same for all.
    const own = asked.filter((url) => !url.includes("timeseries_groups/node") && !(/aggInterval=1[hd]/.test(url) && url.includes("dateRange=1dcontrol") && !url.includes("node=")));
    expect(own.length).toBeGreaterThan(0);
    for (const url of own) expect(new URL(url).searchParams.getAll("node")).toContain("edge2");
    expect(await chips()).toEqual(["Server edge2", "IPv4"]);
    await page.locator('[data-key="tab:overview"]').click();
    await shown(page);
    expect(search().get("f.node")).toBe("edge2");
  });

  it("by signature count connections, because their share says nothing", async () => {
    const { page } = looked;
    await looked.open("?view=how&range=7d&term=signature-5");
    const name = await text(page, '[data-key="term:signature-5"] .term-name');
    await page.locator('[data-key="only:signature:signature-5"]').click();
    await shown(page);
    expect(search().get("f.signature")).toBe("5");
    await page.locator('[data-key="tab:overview"]').click();
    await shown(page);
    expect(await chips()).toEqual([`Signature ${name}`]);
    expect(await page.getByRole("button", { name: "Count" }).getAttribute("aria-pressed")).toBe("true");
    expect(await text(page, ".total")).toContain("have this signature or tag");
    expect(search().has("unit")).toBe(false);
    await page.locator('[data-key="unfilter:signature"]').click();
    await page.waitForFunction(() => !location.search.includes("f.signature"));
    await shown(page);
    expect(await page.getByRole("button", { name: "%", exact: true }).getAttribute("aria-pressed")).toBe("true");
  });

  it("by tag can show shares all the same", async () => {
    const { page } = looked;
    await looked.open("?range=7d&f.tag=zmap");
    await page.getByRole("button", { name: "%", exact: true }).click();
    await page.waitForFunction(() => location.search.includes("unit=share"));
    await shown(page);
    expect(await text(page, "figure .sub")).toContain("Share of connections");
    await page.getByRole("button", { name: "Count" }).click();
    await page.waitForFunction(() => !location.search.includes("unit="));
  });

  it("that cannot be are refused in words, with a way back", async () => {
    const { page } = looked;
    await page.goto(`${base()}?range=7d&f.port=http`);
    await page.locator('.empty [data-key="no-filters"]').waitFor();
    expect(await text(page, ".empty p")).toMatch(/port/);
    await page.locator('.empty [data-key="no-filters"]').click();
    await shown(page);
    expect(search().has("f.port")).toBe(false);
    looked.problems.length = 0;
  });
});

it("leave known scanners out by a switch, which says so and is taken away again", async () => {
  looked = await look({});
  const { page } = looked;
  await looked.open("?range=7d");
  await page.getByRole("switch", { name: "Known scanners left out" }).click();
  await page.waitForFunction(() => location.search.includes("f.scanner=false"));
  await shown(page);
  expect(await text(page, ".filter-chips")).toContain("Known scanners left out");
  await page.getByRole("switch", { name: "Known scanners left out" }).click();
  await page.waitForFunction(() => !location.search.includes("f.scanner"));
});

it("stand in one Filter button on a narrow screen, by touch", async () => {
  looked = await look({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true });
  const { page } = looked;
  await looked.open("?range=7d");
  expect(await page.getByRole("switch").filter({ visible: true }).count()).toBe(0);
  await page.locator('[data-key="filter-menu"]').tap();
  await page.getByRole("switch", { name: "Completed handshakes only" }).tap();
  await page.waitForFunction(() => location.search.includes("handshake=completed"));
  await shown(page);
  expect(await text(page, '[data-key="filter-menu"]')).toBe("Filter (1)");
  await page.locator('[data-key="filter-menu"]').tap();
  await page.locator('[data-key="filter:node"]').selectOption("edge3");
  await page.waitForFunction(() => location.search.includes("f.node=edge3"));
  await shown(page);
  await page.locator('[data-key="unfilter:node"]').tap();
  await page.waitForFunction(() => !location.search.includes("f.node"));
  await page.screenshot({ path: `${OUT}filters-narrow.png` });
});
