// QUIC connections of clients: the third data set.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Looked, look, text } from "./browser";

let looked: Looked;
beforeAll(async () => void (looked = await look()));
afterAll(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

it.each(["?range=7d&data=quic", "?range=7d"])("stand beside TCP, with their share: %s", async (query) => {
  const { page } = looked;
  await looked.open(query);
  const figure = page.locator("figure", { has: page.getByRole("heading", { name: "QUIC beside TCP, port 443" }) });
  await figure.waitFor();
  const sub = (await figure.locator(".sub").first().textContent()) ?? "";
  const share = Number(/; ([\d.]+)/.exec(sub)?.[1]);
  expect(share).toBeGreaterThan(1);
  expect(share).toBeLessThan(99);
  const rows = await figure.locator("table").last().locator("tbody tr").allTextContents();
  expect(rows[0]).toMatch(/^Before any answer\s*Post-Initial\s*[\d.]+.%\s*Post-SYN\s*[\d.]+.%$/);
  expect(rows.at(-1)).toMatch(/^In all\s*[\d.]+.%\s*[\d.]+.%/);
});

it("has all its time without an error", async () => {
  await looked.open("?range=all&data=quic");
  expect(await text(looked.page, "#view")).not.toContain("could not be loaded");
});
