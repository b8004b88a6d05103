import { allItems } from "@starform/client/client";
import { getService, listServices, type Service } from "@starform/contract/services";
import { firstEnvironment } from "@starform/contract/names";
import { isFault } from "@starform/std/fault";
import { nearest } from "@starform/std/nearest";
import type { Api, Context } from "./context.ts";
import { exitCodes, ExitError, usageError } from "./exit-error.ts";
import { readFolderKeys } from "./source/folder-keys.ts";

export type ProjectTarget = { readonly project: string; readonly environment: string };
export type Target = ProjectTarget & { readonly service: string };

/**
 * What the flags, the environment, the folder's link and its starform.json say, in that order. A folder below a linked
 * one belongs to the same project; whether also to the same service depends: to look at it, yes, but `up` there sends
 * another app, so `isOwnService` counts only a link of the folder itself.
 */
export function chosenOf(
  context: Context,
  folder = context.host.cwd,
  { isOwnService = false }: { isOwnService?: boolean } = {},
) {
  const { flags, config } = context;
  const linked = context.links.around(folder);
  const keys = readFolderKeys(folder);
  const project = flags.project ?? config.project;
  // A link's service belongs to the link's project: naming another project drops it.
  const link = project === undefined || project === linked?.link.project ? linked?.link : undefined;
  const isOwnLink = linked?.folder === folder && link !== undefined;
  const linkedService = isOwnLink || !isOwnService ? link?.service : undefined;
  return {
    workspace: flags.workspace ?? config.workspace,
    project: project ?? link?.project ?? keys.project,
    service: flags.service ?? config.service ?? linkedService ?? keys.service,
    environment: flags.environment ?? config.environment ?? link?.environment ?? firstEnvironment,
    hasOwnLink: isOwnLink && Boolean(link?.service),
  };
}

/** What a command about this service has to say besides, where this folder's commands would not know which is meant. */
export const flagFor = (context: Context, service: string): string =>
  chosenOf(context).service === undefined ? ` -s ${service}` : "";

/** As a path names it: with the workspace before it where one was said. */
export const projectRef = (project: string, workspace: string | undefined): string =>
  workspace && !project.includes(".") ? `${workspace}.${project}` : project;

/** The project a command is about; exit 2 that says how to name one. */
export function projectTarget(context: Context, named?: string): ProjectTarget {
  const chosen = chosenOf(context);
  const project = named ?? chosen.project;
  if (!project)
    throw usageError(
      "this folder is not linked to a project: starform link <project>, or name one with --project",
    );
  return { project: projectRef(project, chosen.workspace), environment: chosen.environment };
}

/** The service a command is about: the named one, else the project's only one. */
export async function serviceTarget(context: Context, api: Api, named?: string): Promise<Target> {
  const at = projectTarget(context);
  const service = named ?? chosenOf(context).service;
  if (service) return { ...at, service };
  const items = await allItems(api.call, listServices, {
    params: { project: at.project },
    query: queryOf(at),
  });
  if (items.length === 1) return { ...at, service: items[0]!.name };
  throw items.length === 0
    ? new ExitError(exitCodes.failed, `project ${at.project} has no services yet: starform up`)
    : usageError(
        `project ${at.project} has ${items.length} services (${items.map(({ name }) => name).join(", ")}): name one with --service`,
      );
}

export const queryOf = ({ environment }: { environment: string }) => ({ environment });
export const paramsOf = ({ project, service }: Target) => ({ project, service });

/** The service itself. A name that does not exist is told with the nearest that does. */
export async function serviceOf(api: Api, target: Target): Promise<Service> {
  try {
    return await api.call(getService, { params: paramsOf(target), query: queryOf(target) });
  } catch (error) {
    if (!isFault(error, "not_found")) throw error;
    const items = await allItems(api.call, listServices, {
      params: { project: target.project },
      query: queryOf(target),
    }).catch(() => []);
    const near = nearest(
      target.service,
      items.map(({ name }) => name),
    );
    throw near && near !== target.service
      ? new ExitError(exitCodes.failed, `${error.message} (did you mean ${near}?)`, { cause: error })
      : error;
  }
}
