import { configurationProblems, planProblems } from "@starform/testkit/railpack/wire";
import { describe, expect, test } from "vitest";
import { printBuildPlan } from "../src/build-plan.ts";
import { planned, refused } from "./planned.ts";

const app = { "package.json": { scripts: { start: "node a.js" } } };

/** What both take, each with something of the format that the others have not. */
const taken: Record<string, object> = {
  "nothing at all": {},
  "a provider": { provider: "node" },
  packages: { packages: { jq: "1.7" }, buildAptPackages: ["gcc", "..."] },
  "caches of both types": {
    caches: { a: { directory: "/a", type: "shared" }, b: { directory: "/b", type: "locked" } },
  },
  "every kind of command": {
    steps: {
      build: {
        commands: [
          "...",
          "echo a",
          { cmd: "echo b", customName: "b" },
          { path: "/b/bin" },
          { src: "a", dest: "b" },
          { src: "a", dest: "b", image: "alpine" },
          { path: "/etc/a", name: "a", mode: 0o644, customName: "write a" },
        ],
        assets: { a: "text" },
        variables: { A: "1" },
        secrets: ["A", "..."],
        caches: ["..."],
      },
    },
  },
  "every kind of input": {
    steps: {
      build: {
        inputs: [
          "...",
          ".",
          { image: "alpine", include: ["a"], exclude: ["b"] },
          { step: "install" },
          { local: true, include: ["."] },
        ],
        deployOutputs: [{ include: ["dist"], exclude: ["dist/a"] }],
      },
    },
  },
  "a deploy": {
    deploy: {
      aptPackages: ["...", "curl"],
      base: { image: "debian:13" },
      inputs: ["...", { step: "build", include: ["."] }],
      startCommand: "./a",
      variables: { A: "1" },
      paths: ["...", "/a/bin"],
    },
  },
  secrets: { secrets: ["...", "A"] },
};

/** What Railpack's schema and the planner refuse; of unknown keys, cache types and such commands its program takes no notice. */
const refusedByBoth: Record<string, object> = {
  "an unknown key": { strat: "a" },
  "an unknown key of a step": { steps: { a: { command: "a" } } },
  "an unknown key of the deploy": { deploy: { start: "a" } },
  "steps as a list": { steps: [{ name: "a" }] },
  "a command that is a number": { steps: { a: { commands: [1] } } },
  "a cache of an unknown type": { caches: { a: { directory: "/a", type: "private" } } },
  "a start that is a list": { deploy: { startCommand: ["a"] } },
  "packages as a list": { packages: ["jq"] },
  "an unknown provider": { provider: "cobol" },
};

describe.each(Object.entries(taken))("a railpack.json with %s", (_name, content) => {
  test("is taken here as by Railpack, and its plan is one of Railpack's", async () => {
    expect(configurationProblems(content)).toEqual([]);
    const { plan } = await planned({ ...app, "railpack.json": content });
    expect(planProblems(JSON.parse(printBuildPlan(plan)))).toEqual([]);
  });
});

describe.each(Object.entries(refusedByBoth))("a railpack.json with %s", (_name, content) => {
  test("is refused here as by Railpack's schema", async () => {
    expect(configurationProblems(content)).not.toEqual([]);
    expect((await refused({ ...app, "railpack.json": content })).message).toContain("railpack.json");
  });
});

test("a cache without a folder is refused here alone: Railpack takes it and keeps nothing", async () => {
  const content = { caches: { a: { type: "shared" } } };
  expect(configurationProblems(content)).toEqual([]);
  expect((await refused({ ...app, "railpack.json": content })).message).toContain("caches.a.directory");
});

test("a plan that Railpack's frontend would not read is told by its place", () => {
  expect(planProblems({ deploy: { base: { image: "a" } }, steps: [{ commands: [] }] }).join()).toContain(
    "/steps/0",
  );
});
