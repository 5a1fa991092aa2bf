// Someone who opens the demo's address for the first time finds what is to be found, within few clicks.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Looked, look, shown, text } from "./browser";

let looked: Looked;
beforeEach(async () => {
  looked = await look();
  await looked.open("");
});
afterEach(async () => {
  const { problems } = looked;
  await looked.context.close();
  expect(problems).toEqual([]);
});

const click = async (selector: string): Promise<void> => {
  await looked.page.locator(selector).first().click();
  await shown(looked.page);
};

describe("a newcomer finds", () => {
  it("the country that had a shutdown: one click", async () => {
    await click('[data-key="whole-time"]');
    const event = looked.page.locator(".events li", { hasText: "Portugal" });
    expect(await event.textContent()).toMatch(/Portugal: 9\d % fewer connections than usual/);
  });

  it("the mobile network that cuts half of its connections after the handshake: none, and one to be sure", async () => {
    const line = looked.page.locator(".ranks li", { hasText: "Zero-Rating Mobile (CH)" });
    expect(await line.locator(".meter").getAttribute("aria-label")).toMatch(/Post-ACK (4[5-9]|5\d)\.\d/);
    await line.locator("a").click();
    await looked.page.getByRole("heading", { level: 1, name: /Zero-Rating Mobile/ }).waitFor();
    await shown(looked.page);
    expect(Number.parseFloat(await text(looked.page, '[data-value="post_ack"]'))).toBeGreaterThan(45);
  });

  it("the network that is a scanner: two clicks, whatever it is called", async () => {
    const first = looked.page.locator(".remarkable .panel").nth(2).locator("li").first();
    expect(await first.locator(".meter").getAttribute("aria-label")).toMatch(/^Post-SYN (100|9\d\.\d)/);
    await first.locator("a").click();
    await looked.page.getByRole("heading", { level: 1, name: /Scans/ }).waitFor();
    await shown(looked.page);
    await click('[data-key="tab:how"]');
    const share = await text(looked.page, '[data-key="term:tag-zmap"] .number');
    expect(Number.parseFloat(share)).toBeGreaterThan(60);
  });
});
