import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pruneBuilds, wholeMark } from "../src/programs/prune-builds.ts";

const names = ["1", "2", "3", "4"].map((digit) => digit.repeat(16));
const [oldest = "", older = "", before = "", current = ""] = names;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "starform-builds-"));
  names.forEach((name, at) => {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, wholeMark), "");
    // Years ago, so that no machine keeps one for being late.
    utimesSync(join(dir, name, wholeMark), 1_000 + at, 1_000 + at);
  });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("the current build and the one used before it stay, older ones go, and what is no build of ours is left alone", () => {
  mkdirSync(join(dir, "dev"));
  mkdirSync(join(dir, "f".repeat(16)));
  writeFileSync(join(dir, "build.lock"), "");
  expect(pruneBuilds(dir, current).toSorted()).toEqual([oldest, older]);
  expect(readdirSync(dir).toSorted()).toEqual(
    [before, current, "build.lock", "dev", "f".repeat(16)].toSorted(),
  );
});

test("a step back in the sources makes the older one current", () => {
  expect(pruneBuilds(dir, oldest).toSorted()).toEqual([older, before]);
  expect(readdirSync(dir).toSorted()).toEqual([oldest, current]);
});

test.skipIf(process.platform !== "linux")("what a running dashboard serves stays", async () => {
  const env = { ...process.env, STARDECK_DIST_DIR: `.next/${oldest}` };
  const server = spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"], { env, stdio: "ignore" });
  await once(server, "spawn");
  try {
    expect(pruneBuilds(dir, current)).toEqual([older]);
  } finally {
    server.kill("SIGKILL");
    await once(server, "exit");
  }
  expect(pruneBuilds(dir, current)).toEqual([oldest]);
});
