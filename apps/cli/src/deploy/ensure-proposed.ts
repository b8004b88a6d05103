import { realpathSync } from "node:fs";
import { basename } from "node:path";
import type { ServiceProposal } from "@starform/build-plan/plan-info";
import { proposeApart, proposedSettings } from "@starform/build-plan/propose-apart";
import type { Proposals } from "@starform/build-plan/propose-services";
import { allItems } from "@starform/client/client";
import { createProposed } from "@starform/client/create-proposed";
import { listServices } from "@starform/contract/services";
import type { Api, Context } from "../context.ts";
import { exitCodes, ExitError } from "../exit-error.ts";
import type { FolderEntry } from "../source/folder-entry.ts";
import { refuseLargePacked } from "../source/pack-folder.ts";
import { chosenOf, projectRef, type Target } from "../target.ts";
import { findProject, findService, makeProject } from "./ensure-service.ts";
import { slugOf } from "./slug-of.ts";

/**
 * The services that a folder seems to hold, where it belongs to none and holds more than one; else undefined. A folder that
 * is an app itself is one service, whatever lies in it, and so is one whose own name a service has already.
 */
export async function proposedIn(context: Context, api: Api, folder: string): Promise<Proposals | undefined> {
  if (chosenOf(context, folder, { isOwnService: true }).service) return undefined;
  const proposals = await proposeApart(folder);
  if (proposals.services.length < 2 || proposals.services.filter(isWhole).length === 1) return undefined;
  const at = placeOf(context, folder);
  return (await findService(api, { ...at, service: slugOf(basename(folder)) })) ? undefined : proposals;
}

/** Of the whole folder. Processes of a Procfile are so too, but never one alone; members of a workspace watch their part. */
const isWhole = ({ rootDirectory, watchPaths }: ServiceProposal): boolean =>
  rootDirectory === "." && watchPaths.length === 0;

/**
 * Makes the proposed services that the project has not yet, and the project, after a yes (`--yes`): with root directory,
 * commands, watch paths and the references that their apps name. What exists is left as it is. The folder is linked to
 * the project. Answers all of them, in the order in which they were proposed.
 */
export async function ensureProposed(
  context: Context,
  api: Api,
  { folder, entries }: { folder: string; entries: readonly FolderEntry[] },
  { services: proposals, notes }: Proposals,
): Promise<readonly Target[]> {
  const at = placeOf(context, folder);
  const hasProject = Boolean(await findProject(api, at.project));
  const existing = hasProject ? await namesIn(api, at) : [];
  const missing = proposals.filter(({ name }) => !existing.includes(name));
  if (missing.length > 0 || !context.links.around(folder)) {
    for (const note of notes) context.note(`note: ${note}`);
    await ask(context, folder, proposals, at.project);
  }
  if (missing.length > 0) await refuseLargePacked(folder, entries, context.host.sourceLimits);
  if (!hasProject) await makeProject(context, api, at.slug, at.workspace);
  const unset = await createProposed(
    api.call,
    at,
    missing.map((one) => ({
      name: one.name,
      type: one.type,
      settings: proposedSettings(one),
      variables: one.variables,
    })),
  );
  for (const { service, names, because } of unset)
    context.note(`${service}: ${names.join(", ")} not set: ${because}; set it with starform variables set`);
  context.links.save(realpathSync(folder), {
    url: api.url,
    project: at.slug,
    service: null,
    environment: at.environment,
  });
  return proposals.map(({ name }) => ({ project: at.project, environment: at.environment, service: name }));
}

function placeOf(context: Context, folder: string) {
  const { project, workspace, environment } = chosenOf(context, folder, { isOwnService: true });
  const slug = project ?? slugOf(basename(folder));
  return { project: projectRef(slug, workspace), slug, workspace, environment };
}

const namesIn = async (api: Api, { project, environment }: Omit<Target, "service">): Promise<string[]> =>
  (await allItems(api.call, listServices, { params: { project }, query: { environment } })).map(
    ({ name }) => name,
  );

async function ask(
  context: Context,
  folder: string,
  proposals: readonly ServiceProposal[],
  project: string,
): Promise<void> {
  const of = proposals.map(({ name, type, reason }) => `  ${name}: a ${type}, because ${reason}`);
  context.note([`${basename(folder)} seems to hold ${proposals.length} services:`, ...of].join("\n"));
  if (await context.confirm(`Deploy all of them to the project ${project}, and make there what is missing?`))
    return;
  throw new ExitError(
    exitCodes.failed,
    "nothing was done: --service <name> deploys the folder as one service, and starform services create makes others",
  );
}
