// Puts the licences of all that is built in beside the page: their texts must go where the code goes.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

interface Package {
  name: string;
  version: string;
  license: string;
}

/** The folder of the package that a module is from. */
const folderOf = (id: string): string | undefined => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];

function text(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence text`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

/** `more` are folders whose data are built in without being modules. */
export function licences(more: readonly string[]): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle() {
      const folders = [...this.getModuleIds()].map(folderOf).filter((folder) => folder !== undefined);
      const texts = [...new Set([...folders, ...more])].map(text).sort();
      const head = "cutshort: MIT OR Apache-2.0\n\nBuilt into its dashboard:\n";
      this.emitFile({ type: "asset", fileName: "licences.txt", source: [head, ...texts].join("\n----\n\n") });
    },
  };
}
