// Starts what the page's tests look at: `cutshort demo`, and a server whose store is empty. Both end with the tests.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { TARGET } from "./target";

declare module "vitest" {
  interface ProvidedContext {
    base: string;
    empty: string;
    /** Folder for the browsers' profiles, removed at the end. */
    profiles: string;
  }
}

export const PROGRAM = process.env["CUTSHORT"] ?? join(TARGET, "debug", "cutshort");
/** Filling the demo takes this long at most, also without optimisation on a busy machine. */
const PATIENCE_MS = 240_000;

/** The address at which a server says that it serves. */
export function address(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`${name} did not serve in time: ${said}`)), PATIENCE_MS);
    child.stderr?.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      const found = /served on (http:\/\/[^\s]+)/.exec(said)?.[1];
      if (!found) return;
      clearTimeout(late);
      resolve(found.replace(/\/?$/, "/"));
    });
    child.on("exit", (code) => reject(new Error(`${name} ended with ${code}: ${said}`)));
  });
}

/** Servers that run already: `npm run dev` beside a demo, and an empty one. */
function running(project: TestProject, base: string, empty: string): () => void {
  const profiles = mkdtempSync(join(tmpdir(), "cutshort-page-"));
  project.provide("base", base);
  project.provide("empty", empty);
  project.provide("profiles", profiles);
  return () => rmSync(profiles, { recursive: true, force: true, maxRetries: 20 });
}

export default async function setup(project: TestProject): Promise<() => void> {
  const { PAGE_BASE, PAGE_EMPTY } = process.env;
  if (PAGE_BASE && PAGE_EMPTY) return running(project, PAGE_BASE, PAGE_EMPTY);
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: run 'cargo build', or name another one by CUTSHORT`);
  const data = mkdtempSync(join(tmpdir(), "cutshort-empty-"));
  const profiles = mkdtempSync(join(tmpdir(), "cutshort-page-"));
  const start = (...given: string[]): ChildProcess => spawn(PROGRAM, [...given, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
  const [demo, bare] = [start("demo"), start("serve", "--data", data)];
  const stop = (): void => {
    demo.kill("SIGINT");
    bare.kill("SIGINT");
    for (const folder of [data, profiles]) rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  };
  try {
    const [base, empty] = await Promise.all([address(demo, "cutshort demo"), address(bare, "cutshort serve")]);
    project.provide("base", base);
    project.provide("empty", empty);
    project.provide("profiles", profiles);
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}
