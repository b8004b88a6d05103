import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { planProblems } from "@starform/testkit/railpack/wire";
import { describe, expect, test } from "vitest";
import { type BuildPlan, printBuildPlan, readBuildPlan } from "../src/build-plan.ts";
import { planSource, type PlanOutcome } from "../src/plan-source.ts";
import { proposeServices } from "../src/propose-services.ts";

const examples = path.resolve(import.meta.dirname, "../../../examples");
const names = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

interface Facts {
  readonly provider?: string;
  readonly dockerfile?: string;
  readonly versions?: Record<string, string>;
  readonly startCommand?: string;
  readonly services?: readonly (Facts & {
    readonly name: string;
    readonly rootDirectory: string;
    readonly type: string;
    readonly cron?: string;
  })[];
}

const factsOf = (example: string): Facts =>
  JSON.parse(readFileSync(path.join(examples, example, "test.json"), "utf8")) as Facts;

test("there are examples to look at", () => {
  expect(names.length).toBeGreaterThanOrEqual(11);
});

describe.each(names)("example %s", (example) => {
  const dir = path.join(examples, example);

  test("is planned as its test.json says", async () => {
    const facts = factsOf(example);
    if (facts.services) return;
    expectFacts(await planSource(dir), facts);
  });

  test("holds the services its test.json names", async () => {
    const facts = factsOf(example);
    for (const service of facts.services ?? []) {
      expectFacts(await planSource(dir, { rootDirectory: service.rootDirectory }), service);
      const proposal = (await proposeServices(dir)).services.find(
        ({ rootDirectory }) => rootDirectory === service.rootDirectory,
      );
      expect(proposal).toMatchObject({
        name: service.name,
        type: service.type,
        ...(service.cron ? { cron: service.cron } : {}),
      });
    }
  });

  test("gives the plan that is kept beside the tests", async () => {
    const roots = factsOf(example).services?.map(({ rootDirectory }) => rootDirectory) ?? ["."];
    for (const rootDirectory of roots) {
      const outcome = await planSource(dir, { rootDirectory });
      if (!outcome.ok || outcome.kind !== "plan") continue;
      expect(readBuildPlan(JSON.parse(printBuildPlan(outcome.plan)))).toEqual(outcome.plan);
      expect(planProblems(JSON.parse(printBuildPlan(outcome.plan)))).toEqual([]);
      const name = rootDirectory === "." ? example : `${example}.${rootDirectory}`;
      await expect(printBuildPlan(withoutServer(outcome.plan))).toMatchFileSnapshot(`plans/${name}.plan`);
    }
  });

  test("locks its packages without naming a registry", () => {
    const locks = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith("package-lock.json") && !file.includes("node_modules"),
    );
    for (const lock of locks) expect(readFileSync(path.join(dir, lock), "utf8")).not.toContain('"resolved"');
  });
});

function expectFacts(outcome: PlanOutcome, { provider, dockerfile, versions, startCommand }: Facts): void {
  if (!outcome.ok) throw new Error(`${outcome.error.message} ${outcome.error.hint}`);
  const chosen = Object.entries(outcome.info.versions).map(([tool, { version }]) => [tool, version]);
  const seen = {
    versions: Object.fromEntries(chosen),
    ...(outcome.kind === "plan"
      ? { provider: outcome.info.providers.join(), startCommand: outcome.plan.deploy.startCommand }
      : { dockerfile: outcome.path }),
  };
  const said = Object.entries({ provider, dockerfile, versions, startCommand }).filter(
    ([, value]) => value !== undefined,
  );
  expect(seen).toMatchObject(Object.fromEntries(said));
}

/** The static server's text has tests of its own and would hide what else changed. */
const withoutServer = (plan: BuildPlan): BuildPlan => ({
  ...plan,
  steps: plan.steps.map((step) => ({
    ...step,
    assets: Object.fromEntries(
      Object.entries(step.assets).map(([name, text]) => [
        name,
        name.endsWith(".mjs") ? "(the static server)" : text,
      ]),
    ),
  })),
});
