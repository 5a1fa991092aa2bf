// Status: how fresh each server is and what of it is lost, in plain words.
import { describe, expect, it } from "vitest";
import type { Status } from "../../src/api/wire";
import { base, empty, type Looked, look, OUT, text } from "./browser";

type Node = Status["nodes"][number];

const at = (secondsAgo: number): string => new Date(Date.now() - secondsAgo * 1000).toISOString();

function server(name: string, latest: number | null, lag: number, counts: Partial<NonNullable<Node["live"]>> = {}): Node {
  const live = { heard: at(lag), coveredTo: at(lag), lagSeconds: lag, received: 0, lost: 0, unwritten: 0, dropped: 0, leftOut: 0, waiting: 0, loss: "0", ...counts };
  return { name, latestPacket: latest === null ? null : at(latest), secondsAgo: latest, live };
}

/** A page whose server says something else about itself. */
async function withStatus(server: string, width: number, change: (status: Status) => Partial<Status>, see: (looked: Looked) => Promise<void>): Promise<void> {
  const looked = await look({ viewport: { width, height: 900 } }, server);
  try {
    await looked.page.route("**/radar/status", async (route) => {
      const answer = (await (await route.fetch()).json()) as { result: Status };
      await route.fulfill({ json: { ...answer, result: { ...answer.result, ...change(answer.result) } } });
    });
    await looked.open("?view=status");
    await see(looked);
    expect(looked.problems).toEqual([]);
  } finally {
    await looked.context.close();
  }
}

describe.each([
  { name: "wide", width: 1440 },
  { name: "narrow", width: 360 },
])("servers that send packets, $name", ({ name, width }) => {
  it("show how late they are, and what is lost where", () =>
    withStatus(
      base(),
      width,
      () => ({
        simulated: false,
        nodes: [
          server("edge1", 4, 31, { received: 2_400_000, waiting: 12 }),
          server("edge2", 7300, 7200, { received: 598_000, lost: 2000, unwritten: 0, dropped: 4000, waiting: 81_000, loss: "1.0" }),
          server("edge3", null, 20),
          { name: "edge4", latestPacket: at(60), secondsAgo: 60 },
          { name: "file", latestPacket: at(90_000), secondsAgo: 90_000 },
        ],
      }),
      async ({ page }) => {
        const [fresh, lost] = [await page.locator(".servers > p").nth(0).textContent(), await page.locator(".servers > p").nth(1).textContent()];
        expect(fresh).toBe("Late: edge2. The others are up to date.");
        expect(lost?.replaceAll("\u202f", " ")).toBe("6,000 packets of 3,000,000 will never come (0.2 %).");
        const rows = page.locator(".servers tbody tr");
        const cells = async (row: number): Promise<string[]> => (await rows.nth(row).locator("th, td").allTextContents()).map((cell) => cell.replaceAll("\u202f", " "));
        expect((await cells(0)).slice(2)).toEqual(["31 s", "nothing", "12"]);
        expect((await cells(1)).slice(2)).toEqual(["2 h", "1.0 %2,000 no room in its kernel4,000 dropped from its spool", "81,000"]);
        expect((await cells(2))[1]).toBe("none yetdelivers, but nothing was received");
        expect((await cells(3)).slice(2)).toEqual(["60 s", "unknown", "–"]);
        expect((await cells(4)).slice(1)).toEqual([expect.stringContaining("imported"), "–", "–", "–"]);
        expect(await page.locator(".servers .caution").count()).toBe(3);
        expect(await text(page, ".step.bad")).toContain("edge2 is late");
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        await page.screenshot({ path: `${OUT}status-servers-${name}.png`, fullPage: true });
      },
    ));

  it("that deliver no packet are told from those that deliver nothing", () =>
    withStatus(
      empty(),
      width,
      () => ({ nodes: [server("edge1", null, 12)] }),
      async ({ page }) => {
        expect(await text(page, ".step.good")).toContain("edge1 delivers");
        expect(await text(page, ".step.bad")).toContain("cutshort doctor");
        expect(await page.locator(".step.none").count()).toBe(2);
      },
    ));
});

it("protected addresses are said in a plain sentence", () =>
  withStatus(
    base(),
    1440,
    ({ store }) => ({ store: { ...store, protectedAddresses: ["truncated", "encrypted"] } }),
    async ({ page }) => expect(await text(page, ".facts")).toContain("not the real ones, or not all: truncated to their networks"),
  ));

it("stands in an order that makes sense on a narrow screen", async () => {
  const looked = await look({ viewport: { width: 360, height: 900 } });
  await looked.open("?view=status");
  const tops = await looked.page.locator(".status-grid > .panel").evaluateAll((panels) => panels.map((panel) => [panel.querySelector("h2")?.textContent, panel.getBoundingClientRect().top] as const));
  expect(tops.sort((a, b) => a[1] - b[1]).map(([heading]) => heading)).toEqual(["From packets to numbers", "Servers", "Left out of all totals", "Places and networks"]);
  await looked.context.close();
});
