import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"], environment: "node" } },
      {
        test: {
          name: "page",
          include: ["tests/page/**/*.test.ts"],
          environment: "node",
          globalSetup: "tests/page/server.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // One browser at a time: times are measured.
          fileParallelism: false,
        },
      },
    ],
  },
});
