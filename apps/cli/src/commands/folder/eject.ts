import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildPlan } from "@starform/build-plan/build-plan";
import { command, flagOf, optionalWord } from "../../command.ts";
import { whyPassedOver } from "../../deploy/why-passed-over.ts";
import { envFlag, planAsBuilt, type EnvFlag, type PlannedAsBuilt } from "../../deploy/plan-as-built.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";

export default command<EnvFlag & { print: boolean }, [string?]>({
  brief: "write the Dockerfile that a folder's plan stands for",
  detail:
    "From then on the Dockerfile is yours, and the builds take it. It lies in the app's root directory, and beside it the .dockerignore it needs; neither is ever overwritten. Of a linked folder's service it has the settings and mounts the variables, by their names; --env names others.",
  flags: { print: flagOf("print it and write nothing"), env: envFlag },
  positional: { kind: "tuple", parameters: [optionalWord("folder", "whose plan (this folder)")] },
  async run(context, { print, env = [] }, named = ".") {
    const { ejectedIgnores } = await import("@starform/build-plan/eject-dockerfile");
    const onFault = (words: string) => {
      throw new ExitError(
        exitCodes.failed,
        `${words}\n  the Dockerfile needs what the service is built with: try again, or starform unlink and name its variables with --env`,
      );
    };
    const planned = await planAsBuilt(context, named, { env, onFault });
    const { root, outcome, service } = planned;
    if (!outcome.ok)
      throw new ExitError(exitCodes.failed, `${outcome.error.message}\n  ${outcome.error.hint}`);
    if (outcome.kind === "dockerfile")
      throw new ExitError(
        exitCodes.failed,
        `${outcome.path} is there already, and the builds take it: there is nothing to eject`,
      );
    const text = await dockerfileOf(withoutSettings(outcome.plan, planned));
    if (print) return context.answer({ dockerfile: text }, () => text.trimEnd());
    const folder = join(root, outcome.info.rootDirectory);
    const path = join(folder, "Dockerfile");
    await writeNew(path, text);
    const missing = await writeIgnores(folder, ejectedIgnores(outcome.plan));
    const passedOver = await whyPassedOver(root, outcome.info.rootDirectory, service);
    context.answer({ path, missingIgnores: missing, passedOver: passedOver ?? null }, () =>
      [
        `${context.paint("green", "✓")} wrote ${path}; ${passedOver ?? "the next deployment is built by it"}`,
        `  ${saidOfVariables(planned)}`,
        ...(missing.length > 0 ? [`  add to its .dockerignore: ${missing.join(" ")}`] : []),
      ].join("\n"),
    );
  },
});

async function dockerfileOf(plan: BuildPlan): Promise<string> {
  const { ejectDockerfile } = await import("@starform/build-plan/eject-dockerfile");
  const { PlanRefusal } = await import("@starform/build-plan/plan-refusal");
  try {
    return ejectDockerfile(plan);
  } catch (error) {
    if (!(error instanceof PlanRefusal)) throw error;
    throw new ExitError(exitCodes.failed, `${error.message}\n  ${error.hint}`);
  }
}

/** A service's own commands reach the planner as variables, which no build has. */
const withoutSettings = (plan: BuildPlan, { variables }: PlannedAsBuilt): BuildPlan => ({
  ...plan,
  secrets: plan.secrets.filter((name) => name in variables || !/^RAILPACK_\w+_CMD$/.test(name)),
});

function saidOfVariables({ service, variables }: PlannedAsBuilt): string {
  const count = Object.keys(variables).length;
  if (service)
    return `it mounts the ${count} variables that ${service.name} has in ${service.environment}, by their names`;
  return count > 0
    ? "it mounts the variables that --env named"
    : "it mounts no variables: name those of the build with --env, or sign in and link the folder to its service";
}

const writeNew = (path: string, text: string): Promise<void> =>
  writeFile(path, text, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    throw new ExitError(
      exitCodes.failed,
      `${path} is there already, and is left as it is: rename it first, or see with --print what it would be`,
    );
  });

/** Writes the .dockerignore where there is none; resolves to what the one that is there lacks. */
async function writeIgnores(folder: string, ignores: readonly string[]): Promise<string[]> {
  const path = join(folder, ".dockerignore");
  const there = await readFile(path, "utf8").catch(() => undefined);
  if (there === undefined) await writeFile(path, `${ignores.join("\n")}\n`, { flag: "wx" });
  const lines = new Set((there ?? ignores.join("\n")).split("\n").map((line) => line.trim()));
  return ignores.filter((ignore) => !lines.has(ignore));
}
