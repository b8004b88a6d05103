import { existsSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { allItems } from "@starform/client/client";
import { listServices, type Service } from "@starform/contract/services";
import { isFault } from "@starform/std/fault";
import type { Api, Context } from "../context.ts";
import { usageError } from "../exit-error.ts";
import { chosenOf, projectRef, queryOf, type Target } from "../target.ts";

/**
 * The service whose app lies in a folder below a linked one, or below the top of its Git repository where a project is
 * named, and that folder above, which is what it is built from. Undefined where the folder is none's part: it is then an
 * app of its own.
 */
export async function partOf(
  context: Context,
  api: Api,
  folder: string,
): Promise<{ readonly root: string; readonly target: Target } | undefined> {
  const around = context.links.around(folder);
  const { project, workspace, environment, service } = chosenOf(context, folder, { isOwnService: true });
  const isOfLink = project !== undefined && project === around?.link.project;
  const root = isOfLink ? around?.folder : around?.folder === folder ? undefined : topOfRepository(folder);
  if (!project || !root || root === folder) return undefined;
  const at = { project: projectRef(project, workspace), environment };
  const below = relative(root, folder).split(sep).join("/");
  const found = (await servicesIn(api, at)).filter(
    (one) => isIn(below, one) && (service === undefined || one.name === service),
  );
  if (found.length > 1)
    throw usageError(
      `${below} is the folder of several services (${found.map(({ name }) => name).join(", ")}): name one with --service`,
    );
  return found[0] && { root, target: { ...at, service: found[0].name } };
}

/** The folder that holds `.git`, itself or above: on a build machine nothing is linked. */
function topOfRepository(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** By its root directory, or as a member of a workspace, which is built from the root and watches its folder first. */
function isIn(folder: string, { settings: { rootDirectory, watchPaths } }: Service): boolean {
  const root = posix.normalize(rootDirectory || ".").replace(/(.)\/$/, "$1");
  return root === folder || (root === "." && watchPaths[0] === `${folder}/**`);
}

async function servicesIn(api: Api, at: Omit<Target, "service">): Promise<Service[]> {
  try {
    return await allItems(api.call, listServices, { params: { project: at.project }, query: queryOf(at) });
  } catch (error) {
    // The project was deleted, or the environment is new: what to do is asked further on.
    if (isFault(error, "not_found")) return [];
    throw error;
  }
}
