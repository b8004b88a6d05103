import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { printBuildPlan } from "../src/build-plan.ts";
import { planSource } from "../src/plan-source.ts";
import { compareFacts, knownAs } from "./railpack/compare.ts";
import { knownDifferences } from "./railpack/known-differences.ts";
import { type ComparedPlan, planFacts } from "./railpack/plan-facts.ts";
import { sourceOf } from "./source-of.ts";

/**
 * Railpack's own examples: of each what decides its plan, as a source of a few lines, and what Railpack's snapshot of the
 * plan says, in the words of `planFacts`.
 */
type Example = {
  readonly name: string;
  readonly files: Record<string, unknown>;
  readonly railpack: readonly string[];
};
const examples = readFileSync(new URL("railpack/examples.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Example);

/** A Dockerfile wins here, and Railpack looks at none. */
async function plannedIn(dir: string) {
  const outcome = await planSource(dir, { builder: "railpack" });
  if (!outcome.ok || outcome.kind !== "plan") throw new Error(`${dir} is not planned`);
  const facts = planFacts(JSON.parse(printBuildPlan(outcome.plan)) as ComparedPlan);
  return { facts, provider: outcome.info.providers[0] };
}

const compared = await Promise.all(
  examples.map(async ({ name, files, railpack }) => {
    await using source = await sourceOf(files);
    const { facts, provider } = await plannedIn(source.dir);
    return { name, provider, ...compareFacts(railpack, facts) };
  }),
);

test.each(compared)("$name is planned as Railpack plans it, but for what is known", (example) => {
  const unknown = example.differences.filter((one) => !knownAs(example.name, one, knownDifferences));
  expect(unknown).toEqual([]);
  expect(example.isInOrder).toBe(true);
});

/** Railpack names its examples after what should detect them; these are named after something else. */
const namedOtherwise: Record<string, string> = {
  bun: "node",
  config: "node",
  dockerignore: "shell",
  expo: "node",
  go: "golang",
  mise: "node",
  npm: "node",
  pnpm: "node",
  railpack: "shell",
  secrets: "procfile",
  tanstack: "node",
};

test("the provider that an example is for detects it", () => {
  const wanted = (name: string) => namedOtherwise[name.split("-")[0]!] ?? name.split("-")[0];
  expect(compared.filter(({ name, provider }) => provider !== wanted(name))).toEqual([]);
  expect(compared.length).toBeGreaterThanOrEqual(125);
});

test.each(knownDifferences)("it is still different: $why", ({ of, there, here }) => {
  const met = compared.filter(({ name }) => of.test(name)).flatMap(({ differences }) => differences);
  const inUse = (pattern: RegExp | undefined, side: string) =>
    pattern === undefined || met.some((one) => one.side === side && pattern.test(one.line));
  expect({ there: inUse(there, "only Railpack"), here: inUse(here, "only here") }).toEqual({
    there: true,
    here: true,
  });
});

/** A checkout of Railpack: holds the table above to its snapshots and to its whole examples. */
const checkout = process.env["TEST_RAILPACK"];

describe.skipIf(!checkout)("a checkout of Railpack", () => {
  const at = (...parts: string[]) => path.join(checkout ?? "", ...parts);

  test.each(examples)("$name is there as the table says", async ({ name, files, railpack }) => {
    const snapshot = readFileSync(
      at("core/__snapshots__", `TestGenerateBuildPlanForExamples_${name}_1.snap.json`),
      "utf8",
    );
    expect(railpack).toEqual(planFacts(JSON.parse(snapshot) as ComparedPlan));
    await using source = await sourceOf(files);
    expect(await plannedIn(source.dir)).toEqual(await plannedIn(at("examples", name)));
  });

  test("has no example that the table lacks", () => {
    expect(existsSync(at("examples"))).toBe(true);
    expect(readdirSync(at("examples")).toSorted()).toEqual(examples.map(({ name }) => name).toSorted());
  });
});
