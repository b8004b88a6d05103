import { realpathSync } from "node:fs";
import { basename } from "node:path";
import { createProject, getProject } from "@starform/contract/projects";
import { createService, getService, type Service } from "@starform/contract/services";
import { ServiceType } from "@starform/contract/names";
import { isFault } from "@starform/std/fault";
import type { Api, Context } from "../context.ts";
import { exitCodes, ExitError, usageError } from "../exit-error.ts";
import type { FolderEntry } from "../source/folder-entry.ts";
import { readFolderKeys } from "../source/folder-keys.ts";
import { refuseLargePacked } from "../source/pack-folder.ts";
import { chosenOf, paramsOf, projectRef, queryOf, type Target } from "../target.ts";
import { refuseUnbuildable, refuseUnknownEnvironment } from "./refuse-early.ts";
import { slugOf } from "./slug-of.ts";

export type Ensured = { readonly target: Target; readonly service: Service };

/**
 * The service a folder deploys to. In a folder without a link it is the one named after the folder, made after a yes
 * (`--yes`) together with its project, and the folder is linked to it. What exists already is used, so that a fresh
 * checkout on a build machine finds its service again. A folder that `sends` and cannot be sent or built is refused before
 * anything is made for it.
 */
export async function ensureService(
  context: Context,
  api: Api,
  folder: string,
  wanted: { type?: ServiceType; schedule?: string; sends?: readonly FolderEntry[] } = {},
): Promise<Ensured> {
  const chosen = chosenOf(context, folder, { isOwnService: true });
  const named = slugOf(basename(folder));
  const project = chosen.project ?? named;
  const name = chosen.service ?? named;
  const target = {
    project: projectRef(project, chosen.workspace),
    service: name,
    environment: chosen.environment,
  };

  const hasProject = Boolean(await findProject(api, target.project));
  const found = hasProject ? await findService(api, target) : undefined;
  if (hasProject && !found) await refuseUnknownEnvironment(api, target);
  if (found && chosen.project && chosen.service) return { target, service: found };

  if (
    !(await context.confirm(questionFor(context, folder, target, { hasProject, hasService: Boolean(found) })))
  )
    throw new ExitError(
      exitCodes.failed,
      "nothing was done: starform link connects the folder to a service that exists",
    );
  if (wanted.sends) {
    if (!found) await refuseUnbuildable(folder);
    await refuseLargePacked(folder, wanted.sends, context.host.sourceLimits);
  }
  if (!hasProject) await makeProject(context, api, project, chosen.workspace);
  const service = found ?? (await makeService(api, target, wanted, folder));
  if (!chosen.hasOwnLink)
    context.links.save(realpathSync(folder), {
      url: api.url,
      project: service.projectSlug,
      service: service.name,
      environment: chosen.environment,
    });
  context.note(
    `${context.paint("green", "✓")} ${basename(folder)} is linked to service ${service.name} of project ${service.projectSlug}`,
  );
  return { target: { ...target, service: service.name }, service };
}

export const findProject = (api: Api, project: string) =>
  exists(() => api.call(getProject, { params: { project } }));

export const findService = (api: Api, target: Target) =>
  exists(() => api.call(getService, { params: paramsOf(target), query: queryOf(target) }));

async function exists<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isFault(error, "not_found")) return undefined;
    throw error;
  }
}

function questionFor(
  context: Context,
  folder: string,
  { project, service }: Target,
  { hasProject, hasService }: { hasProject: boolean; hasService: boolean },
): string {
  const what = !hasProject
    ? `Create the project ${project} with the service ${service}`
    : hasService
      ? `Deploy to the service ${service} of the project ${project}, which exists`
      : `Create the service ${service} in the project ${project}`;
  return context.links.around(folder) ? `${what}?` : `This folder is not linked to a service. ${what}?`;
}

export async function makeProject(
  context: Context,
  api: Api,
  slug: string,
  workspace: string | undefined,
): Promise<void> {
  try {
    await api.call(
      createProject,
      { body: { slug, ...(workspace ? { workspace } : {}) } },
      { idempotencyKey: crypto.randomUUID() },
    );
  } catch (error) {
    // Somebody else's project of that name which the caller may not see, or one made a moment ago.
    if (isFault(error, "name_taken") && context.flags.project === undefined)
      throw usageError(`${error.message}: name another project with --project`);
    throw error;
  }
}

async function makeService(
  api: Api,
  { project, service, environment }: Target,
  { type, schedule }: { type?: ServiceType; schedule?: string },
  folder: string,
): Promise<Service> {
  const said = readFolderKeys(folder);
  const runsAt = schedule ?? (type === undefined || type === "cron" ? said.cron : undefined);
  const kind = type ?? ServiceType.safeParse(said.type).data ?? (runsAt ? "cron" : "web");
  await api.call(
    createService,
    {
      params: { project },
      body: { name: service, type: kind, ...(runsAt ? { settings: { schedule: runsAt } } : {}) },
    },
    { idempotencyKey: crypto.randomUUID() },
  );
  return api.call(getService, { params: { project, service }, query: { environment } });
}
