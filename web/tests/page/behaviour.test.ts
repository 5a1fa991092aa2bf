// What a person does with the page.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Download } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GroupsAnswer, Status } from "../../src/api/wire";
import { sourceText } from "../../src/app";
import { api, base, type Looked, look, OUT, shown, text } from "./browser";

let looked: Looked;
beforeEach(async () => void (looked = await look()));
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const query = (): string => new URL(looked.page.url()).search;

describe("the address", () => {
  it("holds the whole state, which survives a reload and turns back", async () => {
    const { page } = looked;
    await looked.open("?place=CH&range=4w");
    await page.getByRole("switch", { name: "Completed handshakes only" }).click();
    await shown(page);
    await page.getByRole("button", { name: "Count" }).click();
    await shown(page);
    await page.locator('[data-key="legend:later_in_flow"]').click();
    await shown(page);
    expect(query()).toBe("?place=CH&range=4w&handshake=completed&unit=count&hide=later_in_flow");
    const before = await page.locator("#view").innerText();
    await page.reload();
    await shown(page);
    expect(await page.locator("#view").innerText()).toBe(before);
    await page.goBack();
    await shown(page);
    expect(query()).toBe("?place=CH&range=4w&handshake=completed");
    expect(await page.getByRole("button", { name: "%" }).getAttribute("aria-pressed")).toBe("true");
    await page.goBack();
    await page.waitForFunction(() => !location.search.includes("handshake"));
    expect(query()).toBe("?place=CH&range=4w");
  });

  it("is zoomed by dragging in the chart, and by the back button out again", async () => {
    const { page } = looked;
    await looked.open("?range=4w");
    const box = await page.locator(".plot svg").first().boundingBox();
    if (!box) throw new Error("there is no chart");
    await page.mouse.move(box.x + box.width * 0.5, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 100, { steps: 4 });
    await page.mouse.up();
    await page.waitForFunction(() => location.search.includes("from="));
    await shown(page);
    const zoomed = new URLSearchParams(query());
    const days = (Date.parse(zoomed.get("to") ?? "") - Date.parse(zoomed.get("from") ?? "")) / 86_400_000;
    expect(days).toBeGreaterThan(2);
    expect(days).toBeLessThan(4);
    await page.goBack();
    await page.waitForFunction(() => location.search === "?range=4w");
  });

  it("takes a time of one's own", async () => {
    const { page } = looked;
    await looked.open("");
    await page.locator('[data-key="custom-range"]').click();
    await page.getByLabel("From, UTC", { exact: true }).fill("2026-11-10T06:00");
    await page.getByLabel("To, UTC", { exact: true }).fill("2026-11-09T06:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    expect(await text(page, ".range-form .problem")).toContain("after the beginning");
    await page.getByLabel("To, UTC", { exact: true }).fill("2026-13-45 06:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    expect(await text(page, ".range-form .problem")).toContain("as in 2026-11-21 14:15");
    await page.getByLabel("To, UTC", { exact: true }).fill("2026-11-12T06:00");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await shown(page);
    expect(query()).toBe("?from=2026-11-10T06:00Z&to=2026-11-12T06:00Z");
    expect(await text(page, ".period")).toBe("10 Nov 06:00 – 12 Nov 06:00 UTC");
    expect(await page.locator(".period").getAttribute("title")).toBe("10 Nov, 06:00 to 12 Nov 2026, 06:00 UTC");
  });
});

it("works by keyboard alone", async () => {
  const { page } = looked;
  await looked.open("?range=4w");
  await page.keyboard.press("/");
  await page.keyboard.type("portug");
  await page.getByRole("option", { name: "Portugal Country PT" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /Portugal/ }).waitFor();
  await shown(page);
  await page.locator(".plot").first().focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  const spoken = await text(page, ".plot [aria-live]");
  expect(spoken).toMatch(/UTC: Post-SYN [\d.]+ %, Post-ACK/);
  for (let hours = 0; hours < 48; hours++) await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.search.includes("from="));
  await shown(page);
  const table = page.locator('[data-key="table:stages"]');
  await table.focus();
  await page.keyboard.press("Enter");
  expect(await table.getAttribute("aria-expanded")).toBe("true");
  expect(await page.locator("figure table tbody tr").count()).toBeGreaterThan(10);
  await page.locator('[data-key="tab:how"]').focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Connection lifecycle: from SYN to close" }).waitFor();
});

describe("downloads", () => {
  const download = async (format: string, figure = "stages"): Promise<[Download, Buffer]> => {
    const { page } = looked;
    await page.locator(`[data-key="share:${figure}"]`).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator(`.menu[open] [data-format="${format}"]`).click()]);
    return [file, readFileSync(await file.path())];
  };

  it("say where they and the places are from, of when, and which selection", async () => {
    await looked.open("?place=CH&range=7d&handshake=completed");
    const { geo } = await api<Status>(looked.page, "status");
    expect(geo.length).toBeGreaterThan(0);
    const { host } = new URL(looked.page.url());
    const [, bytes] = await download("json");
    const said = JSON.parse(bytes.toString()) as Record<string, string>;
    expect(said).toMatchObject({ selection: "Switzerland, completed handshakes only", source: `cutshort at ${host}`, "geo data": geo.map(sourceText).join("; ") });
    expect(said["geo data"]).toContain("(CC BY 4.0, https://db-ip.com)");
    for (const time of ["from", "to", "downloaded"]) expect(Date.parse(said[time] ?? "")).toBeGreaterThan(0);
    const [, lines] = await download("csv");
    expect(lines.toString()).toContain(`# geo data: ${said["geo data"]}\r\n`);
    const [, svg] = await download("svg");
    for (const part of [host, geo[0]?.name ?? "", geo[0]?.date ?? ""]) expect(svg.toString()).toContain(part);
  });

  it("CSV and JSON hold what the chart shows", async () => {
    await looked.open("?place=CH&range=7d");
    // Longer pieces where connections are few: the page says how long they are.
    const length = (await text(looked.page, "figure .sub")).endsWith("day") ? "1d" : "1h";
    const answer = await api<GroupsAnswer>(looked.page, `tcp_resets_timeouts/timeseries_groups/stage?dateRange=7d&location=CH&counts=true&aggInterval=${length}`);
    const serie = answer["serie_0"] as Record<string, string[]>;
    const [file, bytes] = await download("csv");
    expect(file.suggestedFilename()).toMatch(/^cutshort-switzerland-.*\.csv$/);
    const lines = bytes.toString().trimEnd().split("\r\n");
    const rows = lines.filter((line) => !line.startsWith("#")).slice(1);
    expect(lines[1]).toBe("# selection: Switzerland");
    expect(rows.length).toBe(serie["timestamps"]?.length);
    const cells = rows[3]?.split(",") ?? [];
    expect(Date.parse(cells[0] ?? "")).toBe(Date.parse(serie["timestamps"]?.[3] ?? ""));
    expect(Number(cells[2])).toBe(Number(serie["post_ack"]?.[3]));
    const [, written] = await download("json");
    const parsed = JSON.parse(written.toString()) as { selection: string; rows: Record<string, number>[] };
    expect(parsed.selection).toBe("Switzerland");
    expect(parsed.rows[3]?.["Post-ACK (%)"]).toBe(Number(serie["post_ack"]?.[3]));
  });

  it("SVG and PNG are pictures that stand for themselves", async () => {
    await looked.open("?place=CH&range=7d");
    const [, svg] = await download("svg");
    const shape = svg.toString();
    for (const part of ["Connections cut short, by stage", "Switzerland", "UTC", "Source: cutshort", "SIMULATED", "Post-ACK"]) expect(shape).toContain(part);
    expect(shape).not.toMatch(/ class=| style=|var\(/);
    const [, png] = await download("png");
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
  });
});

describe("every view's files hold what it shows", () => {
  const files = async (query: string, figure: string, formats: readonly string[]): Promise<string[]> => {
    const { page } = looked;
    await looked.open(query);
    const contents: string[] = [];
    for (const format of formats) {
      await page.locator(`[data-key="share:${figure}"]`).click();
      const [file] = await Promise.all([page.waitForEvent("download"), page.locator(`.menu[open] [data-format="${format}"]`).click()]);
      contents.push(readFileSync(await file.path(), "latin1"));
    }
    return contents;
  };
  const rowsOf = (csv: string): string[] => csv.trimEnd().split("\r\n").filter((line) => !line.startsWith("#")).slice(1);

  it("lists as pictures, too", async () => {
    const [csv = "", svg = "", png = ""] = await files("?view=how&range=7d", "tags", ["csv", "svg", "png"]);
    const shown = await looked.page.locator('figure:has([data-key="table:tags"]) .term-name').allTextContents();
    for (const name of shown) {
      expect(rowsOf(csv).some((row) => row.startsWith(`${name},`)), name).toBe(true);
      expect(svg).toContain(`>${name}<`);
    }
    expect(svg).not.toMatch(/NaN|Infinity| class=/);
    expect(png.slice(1, 4)).toBe("PNG");
    expect(await looked.page.locator("figure > svg").count()).toBe(0);
  });

  it("networks over time, and ranked", async () => {
    const [series = ""] = await files("?view=networks&place=CH&range=4w", "networks", ["csv"]);
    const shown = await looked.page.locator(".multiples .cell h3").allTextContents();
    expect(new Set(rowsOf(series).map((row) => row.split(",")[0]))).toEqual(new Set(shown));
    const [ranked = "", svg = ""] = await files("?view=networks&place=CH&range=4w", "ranking", ["csv", "svg"]);
    expect(rowsOf(ranked).map((row) => row.split(",")[0])).toEqual(await looked.page.locator(".ranking tbody th a").allTextContents());
    for (const name of shown) expect(svg).toContain(name);
  });

  it("pictures have their whole key, and say where places are from", async () => {
    const legends = async (figure: string): Promise<string[]> =>
      looked.page.locator(`figure:has([data-key="share:${figure}"]) [data-legend]`).evaluateAll((all) => all.map((one) => one.getAttribute("data-legend") ?? ""));
    const { page } = looked;
    for (const [query, figure, said] of [
      ["?view=where&range=4w", "where", ["too few", "0–"]],
      ["?view=how&range=4w", "flow", ["cut short by a RST", "cut short by silence"]],
      ["?view=networks&place=CH&range=4w", "networks", ["Switzerland", "the dashed line is Switzerland", "points"]],
      ["?view=networks&range=4w&rank=all", "networks", ["100"]],
      ["?view=how&range=4w&term=signature-5", "signatures", ["Share", "Sampled"]],
      ["?view=servers&range=7d", "servers", ["edge1"]],
      ["?data=quic&range=7d", "beside", ["QUIC"]],
      ["?range=4w", "stages", ["SYN flood: SYNs of forged sources", "Share of connections per"]],
      ["?view=compare&place=PT&with=CH&range=7d&control=1", "compare", ["Total, 1 week earlier"]],
    ] as const) {
      const [bytes = ""] = await files(query, figure, ["svg"]);
      const svg = Buffer.from(bytes, "latin1").toString("utf8");
      const { geo } = await api<Status>(page, "status");
      for (const part of [...(await legends(figure)), ...said, ...geo.flatMap(({ name, date, licence, urls }) => [name, date, licence ?? "", ...urls])]) expect(svg, query).toContain(part.replaceAll("&", "&amp;"));
      expect(svg).not.toMatch(/oklab|color\(|var\(/);
      // Nothing is cut off.
      const over = await page.evaluate((svg) => {
        const place = document.createElement("div");
        place.append(document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true));
        document.body.append(place);
        const picture = place.firstElementChild as Element;
        const frame = picture.getBoundingClientRect();
        const texts = [...picture.querySelectorAll("text")].filter((text) => {
          const box = text.getBoundingClientRect();
          const own = text.ownerSVGElement as SVGSVGElement;
          const clip = own === picture || own.getAttribute("overflow") === "visible" ? frame : own.getBoundingClientRect();
          return box.left < clip.left || box.right > clip.right || box.bottom > clip.bottom;
        });
        place.remove();
        return texts.map((text) => text.textContent);
      }, svg);
      expect(over, query).toEqual([]);
    }
  });

  it("connections by the names of the exports", async () => {
    const [csv = "", json = ""] = await files("?view=connections&range=1d&f.stage=post_ack", "connections", ["csv", "json"]);
    expect(csv).toContain("# selection: World, stage Post-ACK\r\n");
    expect(rowsOf(csv).length).toBe(await looked.page.locator('[data-key^="connection:"]').count());
    const { rows } = JSON.parse(json) as { rows: Record<string, unknown>[] };
    expect(rows[0]).toMatchObject({ stage: "post_ack", dst_port: expect.any(Number) as number, tags: expect.any(String) as string });
  });

  it("the period before, where it is compared with", async () => {
    const [csv = ""] = await files("?view=compare&range=7d&place=PT&with=CH&control=1", "compare", ["csv"]);
    expect(csv).toContain("Selection,Time (UTC),Post-SYN (%),Post-ACK (%),Post-PSH (%),Later (%),1 week earlier (%),Sampled");
    expect(rowsOf(csv).filter((row) => Number(row.split(",")[6]) > 0).length).toBeGreaterThan(10);
  });
});

it("gives a citation and a frame whose chart works", async () => {
  const { page } = looked;
  await looked.open("?place=CH&range=7d");
  await page.locator('[data-key="share:stages"]').click();
  const [moving = "", fixed = "", cited = ""] = await Promise.all([0, 1, 2].map((at) => page.locator(".menu[open] textarea").nth(at).inputValue()));
  expect(moving).toContain("embed/stages?place=CH");
  expect(fixed).toMatch(/from=.*to=/);
  expect(cited).toMatch(/Switzerland.*cutshort at .*retrieved \d{4}-\d\d-\d\d\. Simulated data\. http.*from=/);
  const address = /src="([^"]+)"/.exec(fixed)?.[1]?.replaceAll("&amp;", "&") ?? "";
  await page.goto(address);
  await page.locator("svg.chart .area").first().waitFor();
  expect(await text(page, "h1")).toContain("Switzerland");
  expect(await text(page, "footer")).toContain("Simulated data");
});

it("gives a frame that works in another page, and moves on with time", async () => {
  const { page } = looked;
  await page.clock.install();
  await looked.open("?place=PT&range=7d");
  await page.locator('[data-key="share:stages"]').click();
  const frame = await page.locator(".menu[open] textarea").first().inputValue();
  const asked: string[] = [];
  page.on("request", (request) => request.url().includes("timeseries_groups") && asked.push(request.url()));
  const other = createServer((_, response) => response.setHeader("content-type", "text/html").end(`<!doctype html><p>A page of somebody else</p>${frame}`));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
  const inside = page.frameLocator("iframe");
  await inside.locator("svg.chart .area").first().waitFor();
  expect(await inside.locator("h1").textContent()).toBe("Cut short, by stage: Portugal");
  expect(asked.length).toBeGreaterThan(0);
  for (const url of asked) expect(new URL(url).searchParams.get("dateRange")).toBe("7d");
  const before = asked.length;
  await page.clock.fastForward("15:01");
  await expect.poll(() => asked.length).toBeGreaterThan(before);
  await inside.locator("svg.chart .area").first().waitFor();
  other.close();
  // It is another page, of which nothing else is asked.
  looked.problems = looked.problems.filter((problem) => !problem.startsWith("request to ") && !problem.includes("favicon"));
});

it("gives a frame of what is compared", async () => {
  const { page } = looked;
  await page.setViewportSize({ width: 720, height: 440 });
  await page.goto(`${base()}embed/compare?place=PT&with=CH,US&range=7d&control=1`);
  await page.locator("svg.chart .series").first().waitFor();
  expect(await page.locator("svg.chart .series").count()).toBe(6);
  expect(await text(page, "h1")).toBe("Cut short, compared: Portugal, Switzerland, United States");
  expect(await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight])).toEqual([0, 0]);
  await page.screenshot({ path: `${OUT}embed-compare.png` });
});

it("follows what it shows by itself, but not while somebody looks something up", async () => {
  const { page } = looked;
  await page.clock.install();
  await looked.open("?view=status");
  let asked = 0;
  page.on("request", (request) => request.url().endsWith("/status") && asked++);
  await page.clock.fastForward("00:20");
  await expect.poll(() => asked).toBe(1);
  await looked.open("?range=7d");
  asked = 0;
  page.on("request", (request) => request.url().includes("summary/stage") && asked++);
  await page.locator('[data-key="table:stages"]').click();
  await page.clock.fastForward("16:00");
  await page.locator('[data-key="table:stages"]').click();
  expect(asked).toBe(0);
  await page.clock.fastForward("00:06");
  await expect.poll(() => asked).toBeGreaterThan(0);
});

it("opens its menus on the screen, also on a narrow one", async () => {
  const { page } = looked;
  await page.setViewportSize({ width: 360, height: 800 });
  for (const query of ["?place=CH", "?view=compare&place=CH", "?view=how", "?view=connections"]) {
    await looked.open(query);
    for (const menu of await page.locator("details.menu:visible").all()) {
      await menu.locator("summary").click();
      // It is moved there once it is open, which the browser tells a moment later.
      const isInside = async () => {
        const box = await menu.locator(".menu-panel").boundingBox();
        return box !== null && box.x >= 0 && box.x + box.width <= 360;
      };
      await expect.poll(isInside, { message: query }).toBe(true);
      await page.keyboard.press("Escape");
    }
  }
});

it("fits a screen of 320 pixels without scrolling sideways", async () => {
  const { page } = looked;
  await page.setViewportSize({ width: 320, height: 800 });
  for (const query of ["?range=4w", "?view=networks&place=CH&range=4w", "?view=where&range=4w", "?view=compare&with=CH,PT&range=1d&control=1&layout=over", "?view=how&range=4w", "?view=servers&range=7d", "?view=connections&range=1d", "?view=status", "?view=method", "?place=CH&range=7d&f.node=edge1&f.port=443&f.signature=5"]) {
    await looked.open(query);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), query).toBeLessThanOrEqual(320);
  }
});

it("shows a connection within a narrow screen", async () => {
  const { page } = looked;
  await page.setViewportSize({ width: 360, height: 800 });
  // Some connections of every hour end in this stage, and the demo keeps the packets of its last two hours.
  await looked.open("?view=connections&range=1d&f.stage=post_psh");
  await page.locator('[data-key="connection:0"]').click();
  await page.locator(".ladder .when").first().waitFor();
  for (const part of [".ladder", ".explained", ".explained .facts"]) {
    const box = await page.locator(part).first().boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? Infinity), part).toBeLessThanOrEqual(360);
  }
  expect(await text(page, ".explained .facts")).toMatch(/Client.*Server/);
  await page.locator(".explained").scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${OUT}ladder-narrow.png` });
});

it.each([
  ["xqzt", /Nothing is called “xqzt”/],
  ["Switzerland", "Switzerland Country CH"],
  ["ch", "Switzerland Country CH"],
  ["AS4200000139", "Simulated Zero-Rating Mobile (CH) Network AS4200000139"],
  ["4200000139", "Simulated Zero-Rating Mobile (CH) Network AS4200000139"],
  ["zero-rating", "Simulated Zero-Rating Mobile (CH) Network AS4200000139"],
])("is searched by name, code and number: %s", async (query, expected) => {
  const { page } = looked;
  await looked.open("?range=7d");
  await page.keyboard.press("/");
  await page.keyboard.type(query);
  await page.getByRole("option", { name: expected }).waitFor();
});

it("takes Enter for what was written, however late the answer comes", async () => {
  const { page } = looked;
  await page.route("**/search/global?query=portug&*", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    await route.continue();
  });
  await looked.open("?range=7d");
  await page.keyboard.press("/");
  await page.keyboard.type("po");
  await page.getByRole("option").first().waitFor();
  await page.keyboard.type("rtug");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /Portugal/ }).waitFor();
  expect(await page.getByRole("listbox").isVisible()).toBe(false);
});

describe("the map", () => {
  /** A point that is really a place's: its shape may have gaps in the middle. */
  const pointOf = (code: string): Promise<{ x: number; y: number }> =>
    looked.page.evaluate((code) => {
      const shape = document.querySelector(`.map [data-code="${code}"]`);
      const box = shape?.getBoundingClientRect() ?? new DOMRect();
      for (let at = 0; at < 400; at++) {
        const [x, y] = [box.left + (box.width * ((at % 20) + 0.5)) / 20, box.top + (box.height * (Math.floor(at / 20) + 0.5)) / 20];
        if (document.elementFromPoint(x, y) === shape) return { x, y };
      }
      throw new Error(`${code} is not to be seen`);
    }, code);

  it.each([["PT", "Portugal"], ["US", "United States"]])("leads to the place that is clicked: %s", async (code, name) => {
    const { page } = looked;
    await looked.open("?view=where&range=4w");
    const { x, y } = await pointOf(code);
    await page.mouse.move(x, y);
    expect(await text(page, ".where-map .tip")).toContain(name);
    await page.mouse.click(x, y);
    await page.getByRole("heading", { level: 1, name: new RegExp(name) }).waitFor();
    await shown(page);
    expect(query()).toBe(`?place=${code}&range=4w`);
  });

  it("is read and opened by keyboard", async () => {
    const { page } = looked;
    await looked.open("?view=where&range=4w");
    await page.locator(".where-map .plot").focus();
    const [first = "", second = ""] = await page.locator(".ranking tbody th a").allTextContents();
    await page.keyboard.press("ArrowRight");
    expect(await text(page, ".where-map .tip")).toContain(first);
    await page.keyboard.press("ArrowDown");
    expect(await text(page, ".where-map .tip")).toContain(second);
    expect(await text(page, ".where-map [aria-live]")).toMatch(new RegExp(`^${second}: [\\d.]+ %, [\\d,]+ sampled$`));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: second }).waitFor();
  });

  it("leads nowhere from a place that has too few", async () => {
    await looked.open("?view=where&range=4w");
    const code = await looked.page.locator(".land.bin-0[data-code]").first().getAttribute("data-code");
    const { x, y } = await pointOf(code ?? "");
    await looked.page.mouse.click(x, y);
    expect(await text(looked.page, ".where-map .tip")).toContain("Too few connections");
    expect(query()).toBe("?view=where&range=4w");
  });
});

it("says on every view that data are simulated", async () => {
  for (const view of ["overview", "where", "how", "status"]) {
    await looked.open(`?view=${view}`);
    expect(await text(looked.page, ".simulated")).toContain("Simulated data");
  }
});

it("has the words of the server's terms, innocent causes first, and claims none", async () => {
  await looked.open("?range=7d");
  const terms = await api<{ stages: { causes: string[] }[] }>(looked.page, "tcp_resets_timeouts/terms");
  const shownCauses = await looked.page.locator(".cause li").allTextContents();
  expect(shownCauses).toEqual(terms.stages.flatMap(({ causes }) => causes));
  expect(await text(looked.page, ".causes")).toContain("none of these is proven");
  expect(await looked.page.locator("body").innerText()).not.toMatch(/censor|tamper/i);
});

it("is safe from what stands in the address", async () => {
  await looked.page.goto(`${base()}?place=%22%3E%3Cimg%20src=x%3E&term=%3Cb%3E&f.client=%3Cscript%3E`);
  await shown(looked.page);
  expect(await looked.page.locator("img").count()).toBe(0);
});
