import { defineConfig } from "vitest/config";

const isCi = Boolean(process.env["CI"]);

/** `unit` is everything beside the code; `story` starts whole platforms, one file at a time, after the units. */
export default defineConfig({
  test: {
    globalSetup: ["test/setup/databases.ts"],
    retry: isCi ? 1 : 0,
    reporters: ["default"],
    projects: [
      {
        extends: false,
        test: {
          name: "unit",
          include: ["packages/**/*.test.ts", "apps/**/*.test.ts", "test/*.test.ts"],
          exclude: ["**/node_modules/**", "**/.next/**"],
          pool: "forks",
          // Most of them wait, for engines, watches and clocks of other processes: two cores are idle with two of them.
          maxWorkers: 4,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          retry: isCi ? 1 : 0,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: false,
        test: {
          name: "story",
          include: ["test/stories/*.story.ts"],
          pool: "forks",
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 300_000,
          // The first platform of a clone builds the dashboard.
          hookTimeout: 600_000,
          retry: isCi ? 1 : 0,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
