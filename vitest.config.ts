import { defineConfig } from "vitest/config";

const isCi = Boolean(process.env["CI"]);

/**
 * Stories that have the machine to themselves: they count lost requests and lines, hold what must be told within seconds,
 * kill processes, or look through a browser, which gives its requests up whenever a network interface comes or goes.
 */
const alone = [
  "bad-input",
  "dashboard",
  "engine-restarts",
  "hostile-builds",
  "kill-everything",
  "live-logs",
  "private-address",
  "zero-downtime",
].map((name) => `test/stories/${name}.story.ts`);

const story = {
  pool: "forks",
  testTimeout: 300_000,
  // The first platform of a clone builds the dashboard.
  hookTimeout: 600_000,
  retry: isCi ? 1 : 0,
} as const;

/** `unit` is everything beside the code; after it come the stories, which start whole platforms. */
export default defineConfig({
  test: {
    globalSetup: ["test/setup/databases.ts", "test/setup/left-processes.ts"],
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
          ...story,
          name: "story",
          include: ["test/stories/*.story.ts"],
          exclude: alone,
          // Half of a story is waiting: for probes, drains, minutes and downloads.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: false,
        test: {
          ...story,
          name: "story-alone",
          include: alone,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
