import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { PlanOptions, PlanOutcome } from "@starform/build-plan/plan-source";
import type { Service } from "@starform/contract/services";
import { isFault, wordsOf } from "@starform/std/fault";
import { valueOf } from "../command.ts";
import type { Context } from "../context.ts";
import { usageError } from "../exit-error.ts";
import { chosenOf, paramsOf, projectRef, queryOf, serviceOf, type Target } from "../target.ts";
import { partOf } from "./part-of.ts";

export type EnvFlag = { readonly env?: readonly string[] };
export const envFlag = {
  ...valueOf("NAME=VALUE", "a variable of the build (NAME alone: its value here); may be repeated"),
  variadic: true,
} as const;

/** A folder's plan, and the service whose builds make it where the folder has one. */
export type PlannedAsBuilt = {
  readonly root: string;
  readonly outcome: PlanOutcome;
  readonly service: Service | undefined;
  /** All the build has; of secrets the name. */
  readonly variables: Readonly<Record<string, string>>;
};

/**
 * Plans a folder as the builds of its service do: with the service's settings and variables, where the folder belongs to
 * one and somebody is signed in, and over them the variables that are named. `onFault` decides about a service that
 * cannot be asked for.
 */
export async function planAsBuilt(
  context: Context,
  named: string,
  { env = [], onFault }: EnvFlag & { onFault: (words: string) => void },
): Promise<PlannedAsBuilt> {
  const { planApart } = await import("@starform/build-plan/plan-apart");
  const folder = resolve(context.host.cwd, named);
  const given = await givenIn(context, env);
  const build = await buildOf(context, folder).catch((error: unknown) => {
    if (!isFault(error)) throw error;
    return onFault(wordsOf(error));
  });
  const variables = { ...build?.variables, ...given };
  const root = build?.root ?? folder;
  const options = build ? await optionsOf(root, build, variables) : { variables };
  return { root, outcome: await planApart(root, options), service: build?.service, variables };
}

/** As Railpack takes them: `NAME=VALUE`, or a name whose value is the shell's. */
async function givenIn(
  { host }: Context,
  words: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  if (words.length === 0) return {};
  const { VariableName } = await import("@starform/contract/names");
  return Object.fromEntries(
    words.map((word) => {
      const [, name = word, value] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
      const issue = VariableName.safeParse(name).error?.issues[0];
      if (issue) throw usageError(`--env "${name}": ${issue.message}`);
      return [name, value ?? host.env[name] ?? ""];
    }),
  );
}

type Build = {
  readonly root: string;
  readonly service: Service;
  readonly variables: Readonly<Record<string, string>>;
};

/** What the builds of the folder's service are given; undefined where it has none or nobody is signed in. */
async function buildOf(context: Context, named: string): Promise<Build | undefined> {
  const folder = realPath(named);
  const url = folder && context.url(folder);
  if (!url || !context.tokenFor(url)) return undefined;
  const { project, service, workspace, environment } = chosenOf(context, folder, { isOwnService: true });
  if (!project) return undefined;
  const api = await context.api({ url });
  const part = await partOf(context, api, folder);
  const own = service && { project: projectRef(project, workspace), service, environment };
  const target: Target | undefined = part?.target ?? (own || undefined);
  if (!target) return undefined;
  const { listVariables, platformVariables } = await import("@starform/contract/variables");
  const found = await serviceOf(api, target);
  const { items } = await api.call(listVariables, { params: paramsOf(target), query: queryOf(target) });
  const told = platformVariables.filter(
    (name) =>
      (found.url !== null || !name.startsWith("STARFORM_PUBLIC_")) &&
      (found.type === "web" || !name.startsWith("STARFORM_PRIVATE_")),
  );
  return {
    root: part?.root ?? folder,
    service: found,
    variables: Object.fromEntries([
      ...told.map((name) => [name, ""]),
      ...items.map(({ name, value, resolved }) => [name, resolved ?? value ?? ""]),
    ]),
  };
}

function realPath(folder: string): string | undefined {
  try {
    return realpathSync(folder);
  } catch {
    // The planner says what is wrong with it.
    return undefined;
  }
}

/** A starform.json that is refused is the planner's to tell. */
async function optionsOf(
  root: string,
  { service }: Build,
  variables: Readonly<Record<string, string>>,
): Promise<PlanOptions> {
  const { planOptionsOf, readBuildSettings } = await import("@starform/build-plan/build-settings");
  const { ServiceSettingsPatch } = await import("@starform/contract/services");
  const { settings: stored, environment } = service;
  const read = await readBuildSettings(root, { stored, environment, change: ServiceSettingsPatch });
  return planOptionsOf(read.kind === "read" ? read.settings : stored, variables);
}
