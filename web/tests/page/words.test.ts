// A country in plain sentences, and a view that says what all terms mean.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Terms } from "../../src/api/wire";
import { api, type Looked, look, OUT, text } from "./browser";

let looked: Looked;
beforeEach(async () => void (looked = await look()));
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const plain = (given: string): string => given.replaceAll("\u202f", " ");
const search = (): URLSearchParams => new URL(looked.page.url()).searchParams;

describe("a country in words", () => {
  const said = async (): Promise<string[]> => (await looked.page.locator(".in-words li").allTextContents()).map(plain);

  it("says what is usual, what changed and when, and which networks differ", async () => {
    const { page } = looked;
    await looked.open("?place=CH&range=7d");
    const [usual = "", changed = "", networks = ""] = await said();
    expect(usual).toMatch(/^Usual: [\d.]+ % to [\d.]+ % of connections a day are cut short, of about [\d,]+ to [\d,]+ connections \(in 80 % of \d+ whole days, .*; [\d,]+ sampled\)\.$/);
    expect(changed).toMatch(/^Changed: /);
    expect(networks).toMatch(/^Networks: they differ from each other: .*Zero-Rating Mobile \(CH\) [\d.]+ %; .* of completed handshakes are cut short\.$/);
    await page.screenshot({ path: `${OUT}words-wide.png`, fullPage: true });
    await page.locator('[data-key^="words:as:"]').first().click();
    await page.getByRole("heading", { level: 1, name: /\(CH\)/ }).waitFor();
  });

  it("says which of many networks differ, and by how much", async () => {
    await looked.open("?place=US&range=7d");
    expect((await said())[2]).toMatch(/^Networks: \d+ of \d+ networks differs?: .* [\d.]+ %, [+−][\d.]+ points.*\. The other \d+ networks agree: [\d.]+ % to [\d.]+ % of completed handshakes/);
  });

  it("says since when something holds, and leads there", async () => {
    await looked.open("?place=PT&range=7d");
    expect((await said())[1]).toMatch(/^Changed: .*\d+ \w+ 20\d\d UTC: \d+ % fewer connections than usual/);
    await looked.page.locator('[data-key^="words:"]').first().click();
    await looked.page.waitForFunction(() => location.search.includes("from="));
    expect(search().get("place")).toBe("PT");
  });

  it("links to others who measure this place at this time, who learn nothing of this page", async () => {
    const { page } = looked;
    await looked.open("?place=PT&from=2026-11-20T00:00Z&to=2026-11-22T00:00Z");
    const links = await page.locator(".in-words p a").evaluateAll((all) => all.map((one) => [one.textContent, one.getAttribute("href"), one.getAttribute("rel")]));
    expect(links.map(([name]) => name)).toEqual(["OONI", "IODA", "Cloudflare Radar", "Censored Planet"]);
    for (const [, , rel] of links) expect(rel).toBe("noreferrer");
    expect(links[0]?.[1]).toContain("probe_cc=PT&since=2026-11-20&until=2026-11-22");
    expect(links[1]?.[1]).toBe(`https://ioda.inetintel.cc.gatech.edu/country/PT?from=${Date.UTC(2026, 10, 20) / 1000}&until=${Date.UTC(2026, 10, 22) / 1000}`);
    expect(links[2]?.[1]).toContain("radar.cloudflare.com/pt?dateStart=2026-11-20");
  });

  it("is not said of the world", async () => {
    await looked.open("?range=7d");
    expect(await looked.page.locator(".in-words").count()).toBe(0);
  });
});

it.each(["?range=7d", "?view=how&range=7d", "?view=connections&range=1d&f.stage=all", "?view=networks&range=7d", "?view=servers&range=7d", "?view=events&range=4w", "?view=status", "?range=7d&f.tag=multiple_rsts", "?view=connections&range=1d&f.termination=server_reset"])("people read names, and not those of data: %s", async (query) => {
  const { page } = looked;
  await looked.open(query);
  if (query.includes("f.stage=all")) await page.locator('[data-key="connection:0"]').click();
  const said = (await page.locator("body").innerText()).replaceAll(/https?:\S+/g, "");
  expect(said.match(/\b[a-z0-9]+(_[a-z0-9]+)+\b/g) ?? []).toEqual([]);
});

describe("the Method view", () => {
  it("has every term in the server's words, the rules, limits and sources", async () => {
    const { page } = looked;
    await looked.open("?view=method");
    const terms = await api<Terms>(page, "tcp_resets_timeouts/terms");
    const method = await text(page, ".method");
    for (const { about, name } of [...terms.tags, ...terms.signatures]) for (const part of [about, name]) expect(method).toContain(part);
    for (const { about } of terms.stages) expect(method).toContain(about);
    expect(await page.locator("#term-rules li").count()).toBe(7);
    expect(await page.locator('.method a[href="https://doi.org/10.1145/3603269.3604875"]').count()).toBeGreaterThan(0);
    expect(await page.locator('.method a[href="docs"]').count()).toBe(1);
    expect(method).not.toMatch(/censor/i);
  });

  it("is where a term leads to", async () => {
    const { page } = looked;
    await looked.open("?range=7d");
    await page.locator('.card [data-key="means:post_psh"]').click();
    await page.locator("#term-post_psh.asked").waitFor();
    expect(search().get("view")).toBe("method");
    expect(await page.locator("#term-post_psh").evaluate((one) => one.getBoundingClientRect().top)).toBeLessThan(900);
    await looked.open("?view=how&range=7d&term=tag-zmap");
    await page.locator('[data-key="means:tag-zmap"]').click();
    await page.locator("#term-tag-zmap.asked").waitFor();
    await looked.open("?view=connections&range=1d&f.stage=post_psh");
    await page.locator('[data-key="connection:0"]').click();
    await page.locator('[data-key="means:rules"]').first().click();
    await page.locator("#term-rules.asked").waitFor();
  });

  it("is read by a finger on a narrow screen", async () => {
    await looked.context.close();
    looked = await look({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true });
    await looked.open("?range=7d");
    await looked.page.locator('.card [data-key="means:post_ack"]').tap();
    await looked.page.locator("#term-post_ack.asked").waitFor();
    expect(await looked.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});
