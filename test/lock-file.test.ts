import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
// @ts-expect-error a script that runs on Node 20 without a build has no types
import { completed, missingOptionals } from "../scripts/complete-lock.mjs";

type Entry = {
  version?: string;
  resolved?: string;
  link?: boolean;
  optionalDependencies?: Record<string, string>;
};
type Lock = { packages: Record<string, Entry> };
const read = (): Lock =>
  JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as Lock;

test("the lock file serves every platform: it names each optional package of each package", () => {
  const { packages } = read();
  expect(Object.keys(packages).length).toBeGreaterThan(300);
  expect(missingOptionals(packages)).toEqual([]);
});

test("the lock file holds no download address, so that any registry may serve it", () => {
  const entries = Object.entries(read().packages);
  expect(entries.filter(([, { link, resolved }]) => !link && resolved !== undefined)).toEqual([]);
});

test("completing a lock adds what a registry did not serve, once, and removes addresses", () => {
  const lock = {
    packages: {
      "": { optionalDependencies: { "tool-darwin-arm64": "1.2.3" } },
      "node_modules/tool": {
        version: "2.0.0",
        resolved: "https://registry.invalid/tool.tgz",
        optionalDependencies: { "@tool/linux-x64-musl": "^2.0.0", "@tool/here": "2.0.0" },
      },
      "node_modules/tool/node_modules/@tool/here": { version: "2.0.0" },
    },
  };
  const once = completed(lock) as Lock;
  expect(once.packages["node_modules/tool-darwin-arm64"]).toEqual({
    version: "1.2.3",
    cpu: ["arm64"],
    os: ["darwin"],
    optional: true,
  });
  expect(once.packages["node_modules/@tool/linux-x64-musl"]).toEqual({
    version: "2.0.0",
    cpu: ["x64"],
    libc: ["musl"],
    os: ["linux"],
    optional: true,
  });
  expect(once.packages["node_modules/tool"]).not.toHaveProperty("resolved");
  expect(completed(once)).toEqual(once);
});
