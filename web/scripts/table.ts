// Lists the built files for the server, so that they can be part of its binary: dist/files.rs.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import type { Plugin } from "vite";

const KINDS: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

function row(folder: string, file: string): string {
  const path = relative(folder, file).split(sep).join("/");
  const kind = KINDS[extname(file)];
  if (!kind) throw new Error(`${path}: say in scripts/table.ts what kind of file this is`);
  const digest = createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16);
  return `    File { path: "${path}", kind: "${kind}", digest: "${digest}", bytes: include_bytes!("${path}") },\n`;
}

export function rustTable(folder: string): Plugin {
  return {
    name: "rust-table",
    apply: "build",
    closeBundle() {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name !== "files.rs");
      const rows = files.map((entry) => row(folder, join(entry.parentPath, entry.name))).sort();
      writeFileSync(join(folder, "files.rs"), `// Written by web/scripts/table.ts.\n&[\n${rows.join("")}]\n`);
    },
  };
}
