import { allItems } from "@starform/client/client";
import { listEnvironments } from "@starform/contract/projects";
import { nearest } from "@starform/std/nearest";
import type { Api } from "../context.ts";
import { exitCodes, ExitError } from "../exit-error.ts";
import type { Target } from "../target.ts";

/** A service that is not found in an environment that does not exist is not missing. */
export async function refuseUnknownEnvironment(api: Api, { project, environment }: Target): Promise<void> {
  const items = await allItems(api.call, listEnvironments, { params: { project } });
  if (items.some(({ id, name }) => id === environment || name === environment)) return;
  const names = items.map(({ name }) => name);
  const near = nearest(environment, names);
  throw new ExitError(
    exitCodes.failed,
    `project ${project} has no environment ${environment}${near ? ` (did you mean ${near}?)` : ""}: starform environments new ${environment}`,
  );
}

/** A folder that no plan can be made for is told before anything is made for it. */
export async function refuseUnbuildable(folder: string): Promise<void> {
  const { planApart } = await import("@starform/build-plan/plan-apart");
  const outcome = await planApart(folder);
  if (outcome.ok) return;
  const { message, lookedFor, hint } = outcome.error;
  const looked = lookedFor.length > 0 ? `\n  looked for: ${lookedFor.join(", ")}` : "";
  throw new ExitError(exitCodes.failed, `${message}${looked}\n  ${hint}`);
}
