import { expect, test } from "vitest";
import { onlyWaits } from "./who-hears-sigterm.ts";

const seen = (name: string, commandLine: string, mindsTerm = true) =>
  onlyWaits({ name, words: commandLine.split(" ").filter(Boolean), mindsTerm });

/** As npm 11, yarn 1 and 4, pnpm 9, 10 and 12, and bun 1.4 name themselves. */
test.each([
  ["npm start", "npm start"],
  ["npm run start:p", "npm run start:prod"],
  ["npm exec tsx se", "npm exec tsx server.ts"],
  ["MainThread", "node /usr/local/bin/yarn start"],
  ["node", "/usr/bin/node --enable-source-maps /app/.yarn/releases/yarn-4.1.0.cjs run start"],
  ["node", "node /root/.cache/node/corepack/v1/pnpm/9.0.0/bin/pnpm.cjs start"],
  ["pnpm", "pnpm start"],
  ["bun", "bun run start:prod"],
  ["bun", "/usr/local/bin/bun --bun run start"],
])("a package manager only waits for what it runs (%s: %s)", (name, commandLine) => {
  expect(seen(name, commandLine)).toBe(true);
});

test.each([
  ["node", "node server.js"],
  ["MainThread", "node /srv/yarn/server.js run"],
  ["MainThread", "node"],
  ["bun", "bun run index.ts"],
  ["bun", "bun ./server"],
  ["gunicorn", "/usr/bin/python3 /usr/bin/gunicorn app:app"],
  ["npmx", "npmx start"],
])("an app hears itself, and tells its own children what it will (%s: %s)", (name, commandLine) => {
  expect(seen(name, commandLine)).toBe(false);
});

test("a shell only waits unless it minds SIGTERM itself", () => {
  expect(seen("sh", "sh -c npm start", false)).toBe(true);
  expect(seen("bash", "/bin/bash start.sh", true)).toBe(false);
  expect(seen("start.sh", "/bin/bash ./start.sh", false)).toBe(true);
  expect(seen("docker-entrypoi", "/bin/sh /docker-entrypoint.sh npm start", true)).toBe(false);
});
