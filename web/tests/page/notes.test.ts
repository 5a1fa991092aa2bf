// Notes are added where the chart is that they explain.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Looked, look, text } from "./browser";

let looked: Looked;
beforeAll(async () => void (looked = await look()));
afterAll(() => looked.context.close());

const NOTES = "**/radar/annotations/outages**";

it("a note needs a token, is added with it, and can be taken back", async () => {
  const { page } = looked;
  await looked.open("?place=PT&range=7d");
  await page.getByTitle("Add a note about this time").click();
  const form = page.locator(".note-form");
  await form.getByLabel("Text of the note").fill("Changed the firewall");
  await form.getByLabel("End; empty if it continues, UTC", { exact: true }).fill("");
  expect(await form.getByLabel("Token").isVisible()).toBe(false);
  // The server refuses it without one.
  await form.getByRole("button", { name: "Add note" }).click();
  await form.getByLabel("Token").waitFor();
  expect(await form.getByRole("alert").textContent()).toContain("cutshort token create");

  const sent: { method: string; token: string | undefined; body: unknown }[] = [];
  await page.route(NOTES, async (route) => {
    const request = route.request();
    const body: unknown = request.postData() ? request.postDataJSON() : null;
    sent.push({ method: request.method(), token: request.headers()["authorization"], body });
    await route.fulfill({ json: { success: true, errors: [], messages: [], result: { annotation: { id: "7" } } } });
  });
  await form.getByLabel("Token").fill("secret");
  await form.getByRole("button", { name: "Add note" }).click();
  await page.getByText("Your note was added.").waitFor();
  expect(sent).toMatchObject([{ method: "POST", token: "Bearer secret", body: { description: "Changed the firewall", eventType: "GENERAL", locations: ["PT"], dataSet: "tcp" } }]);
  expect(sent[0]?.body).not.toHaveProperty("endDate");
  await page.getByRole("button", { name: "Remove it" }).click();
  await page.getByText("Your note was added.").waitFor({ state: "detached" });
  expect(sent.at(-1)).toMatchObject({ method: "DELETE", token: "Bearer secret" });
  expect(await text(page, "#view")).not.toContain("Your note was added");
});

it("a note is about the data set that is shown, or about all", async () => {
  const { page } = looked;
  const sent: Record<string, unknown>[] = [];
  await page.route(NOTES, async (route) => {
    sent.push(route.request().postDataJSON() as Record<string, unknown>);
    await route.fulfill({ json: { success: true, errors: [], messages: [], result: { annotation: { id: "8" } } } });
  });
  for (const only of [true, false]) {
    await looked.open("?data=quic&range=7d");
    await page.getByTitle("Add a note about this time").click();
    const form = page.locator(".note-form");
    await form.getByLabel("Text of the note").fill("Opened UDP port 443");
    await form.getByLabel("Only about QUIC").setChecked(only);
    await form.getByRole("button", { name: "Add note" }).click();
    await page.getByText("Your note was added.").waitFor();
  }
  expect(sent.map(({ dataSet }) => dataSet)).toEqual(["quic", undefined]);
});

// The demo's incidents are those of clients over TCP.
it("a chart has the notes of its data set", async () => {
  const { page } = looked;
  const notes = async (query: string): Promise<string[]> => {
    await looked.open(query);
    return page.locator(".mark-list").allTextContents();
  };
  expect((await notes("?range=7d")).join()).toContain("SIMULATED SYN flood");
  for (const data of ["origin", "quic"]) expect((await notes(`?range=7d&data=${data}`)).join()).not.toContain("SIMULATED");
});
