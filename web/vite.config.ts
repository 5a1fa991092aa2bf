import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { licences } from "./scripts/licences.ts";
import { rustTable } from "./scripts/table.ts";

const DIST = fileURLToPath(new URL("dist", import.meta.url));
const ATLAS = fileURLToPath(new URL("node_modules/world-atlas", import.meta.url));
/** While developing, a running cutshort answers: `cutshort demo` makes one with data. */
const SERVER = process.env["CUTSHORT_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  // Relative addresses: the page also works below a path of a reverse proxy.
  base: "./",
  plugins: [licences([ATLAS]), rustTable(DIST)],
  server: { proxy: { "/client": SERVER, "/openapi.json": SERVER, "/docs": SERVER, "/healthz": SERVER } },
  build: {
    target: "es2022",
    outDir: DIST,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { main: "index.html", embed: "embed/index.html" } },
  },
});
