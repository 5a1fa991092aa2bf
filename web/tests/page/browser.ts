// A page in Debian's Chromium that notices what must not happen.
import { mkdtempSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { inject } from "vitest";
import { OUT } from "./target";

export { OUT };

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export interface Looked {
  context: BrowserContext;
  page: Page;
  /** Console errors, failed requests, refused styles, requests to others. */
  problems: string[];
  open(query: string): Promise<void>;
}

export const base = (): string => inject("base");
/** A server without data. */
export const empty = (): string => inject("empty");

export async function look(options: BrowserContextOptions = {}, server = base()): Promise<Looked> {
  mkdirSync(OUT, { recursive: true });
  const profile = mkdtempSync(join(inject("profiles"), "page-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ARGS,
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const problems: string[] = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server) && !url.startsWith("blob:")) problems.push(`request to ${url}`);
  });
  await page.addInitScript(watchJumps);
  const open = async (query: string): Promise<void> => {
    await page.goto(server + query.replace(/^\//, ""));
    await shown(page);
  };
  return { context, page, problems, open };
}

interface Watched {
  jumps: number;
}

/** Adds up by how much the layout moves without anybody having done something. */
function watchJumps(): void {
  const watched = window as unknown as Watched;
  watched.jumps = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
      if (!entry.hadRecentInput) watched.jumps += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** The page's cumulative layout shift since it was loaded; below 0.1 nothing seems to jump. */
export async function jumps(page: Page): Promise<number> {
  // What is drawn in the next two frames belongs to it.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 50)))));
  return page.evaluate(() => (window as unknown as Watched).jumps);
}

/** Waits until what was asked for is on the page. */
export async function shown(page: Page): Promise<void> {
  await page.waitForSelector("#view:not([aria-busy]) > *", { state: "attached" });
  await page.waitForFunction(() => document.querySelector(".later") === null);
}

interface Envelope<T> {
  result: T;
}

/** What the API answers to the same question, asked by the page itself. */
export const api = <T>(page: Page, path: string): Promise<T> =>
  page.evaluate(async (path) => {
    const response = await fetch(`client/v4/radar/${path}`);
    return ((await response.json()) as Envelope<unknown>).result;
  }, path) as Promise<T>;

/** Text with ordinary spaces. */
export const text = async (page: Page, selector: string): Promise<string> =>
  ((await page.locator(selector).first().textContent()) ?? "").replaceAll("\u202f", " ").trim();
