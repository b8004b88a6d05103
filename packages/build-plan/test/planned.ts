import { planProblems } from "@starform/testkit/railpack/wire";
import { expect } from "vitest";
import { type BuildPlan, printBuildPlan } from "../src/build-plan.ts";
import type { PlanInfo } from "../src/plan-info.ts";
import { type PlanError, type PlanOptions, planSource } from "../src/plan-source.ts";
import { sourceOf } from "./source-of.ts";

/** Plans a tree given by its files, which must succeed with a plan that Railpack's frontend would read. */
export async function planned(
  files: Record<string, unknown>,
  options?: PlanOptions,
): Promise<{ plan: BuildPlan; info: PlanInfo }> {
  await using source = await sourceOf(files);
  const outcome = await planSource(source.dir, options);
  if (!outcome.ok) throw new Error(`${outcome.error.message} (${outcome.error.hint})`);
  if (outcome.kind !== "plan") throw new Error(`built by ${outcome.path}`);
  expect(planProblems(JSON.parse(printBuildPlan(outcome.plan)))).toEqual([]);
  return outcome;
}

/** Plans a tree given by its files, which must be refused. */
export async function refused(files: Record<string, unknown>, options?: PlanOptions): Promise<PlanError> {
  await using source = await sourceOf(files);
  const outcome = await planSource(source.dir, options);
  if (outcome.ok) throw new Error(`it was planned as ${outcome.info.providers.join()}`);
  expect(outcome.error.hint).not.toBe("");
  return outcome.error;
}

/** All commands of a step, in order. */
export const commandsOf = (plan: BuildPlan, name: string): string[] =>
  plan.steps
    .find((step) => step.name === name)
    ?.commands.flatMap((command) => ("cmd" in command ? [command.cmd] : [])) ?? [];
