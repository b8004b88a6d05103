import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { aFolder } from "./run-starform.ts";

const build = fileURLToPath(new URL("../bin/build.ts", import.meta.url));

test("the bundle runs by itself, far from this repository", async () => {
  using folder = await aFolder("site", { "index.html": "hi" });
  const dist = join(folder.path, "..", "dist");
  const node = (...args: string[]) =>
    execFileSync(process.execPath, args, {
      cwd: folder.path,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: join(folder.path, "..") },
    });
  node(build, dist);
  expect(node(join(dist, "starform.mjs"), "--version").trim()).toMatch(/^\d+\.\d+\.\d+$/);
  expect(JSON.parse(node(join(dist, "starform.mjs"), "plan", "--json"))).toHaveProperty(
    "deploy.startCommand",
  );
});
