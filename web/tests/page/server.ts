// The server that the page's tests look at: CUTSHORT_URL, or the built page over made-up data.
import { preview } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    base: string;
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  const given = process.env["CUTSHORT_URL"];
  if (given) return project.provide("base", given.replace(/\/?$/, "/"));
  const server = await preview({ mode: "mock", preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
  const address = server.httpServer.address();
  if (!address || typeof address === "string") throw new Error("the server for the tests has no port");
  project.provide("base", `http://127.0.0.1:${address.port}/`);
  return () => server.close();
}
