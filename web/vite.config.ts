import { defineConfig } from "vite";
import { fileURLToPath } from "node:url";
import { mockApi } from "./mock/plugin.ts";
import { rustTable } from "./scripts/table.ts";

const DIST = fileURLToPath(new URL("dist", import.meta.url));

export default defineConfig(({ mode }) => ({
  // Relative addresses: the page also works below a path of a reverse proxy.
  base: "./",
  publicDir: "public",
  plugins: [rustTable(DIST), ...(mode === "mock" ? [mockApi()] : [])],
  server: { proxy: mode === "mock" ? {} : { "/client": process.env["CUTSHORT_API"] ?? "http://127.0.0.1:8080" } },
  build: {
    target: "es2022",
    outDir: DIST,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rollupOptions: { input: { main: "index.html", embed: "embed/index.html" } },
  },
}));
