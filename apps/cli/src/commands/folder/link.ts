import { realpathSync } from "node:fs";
import { getProject, listProjects, type Project } from "@starform/contract/projects";
import { listServices } from "@starform/contract/services";
import { allItems, everyItem } from "@starform/client/client";
import { isFault } from "@starform/std/fault";
import { nearest } from "@starform/std/nearest";
import { command, optionalWord } from "../../command.ts";
import type { Api, Context } from "../../context.ts";
import { exitCodes, ExitError, usageError } from "../../exit-error.ts";
import { chosenOf, projectRef, serviceOf } from "../../target.ts";

export default command<{}, [string?, string?]>({
  brief: "connect this folder to a project and a service",
  detail:
    "The link is kept in your own configuration, by the folder's path: nothing is written into the folder.",
  positional: {
    kind: "tuple",
    parameters: [
      optionalWord("project", "project, by name or id"),
      optionalWord("service", "service, by name or id"),
    ],
  },
  async run(context, _flags, projectName, serviceName) {
    const api = await context.api();
    const { workspace, environment } = chosenOf(context);
    const named = projectName ?? context.flags.project ?? context.config.project;
    const project = named
      ? await projectOf(api, projectRef(named, workspace))
      : await askForProject(context, api);
    const service = await chooseService(
      context,
      api,
      project,
      serviceName ?? context.flags.service,
      environment,
    );
    const folder = realpathSync(context.host.cwd);
    const link = { url: api.url, project: project.slug, service: service ?? null, environment };
    context.links.save(folder, link);
    context.answer(
      { folder, ...link },
      () =>
        `${context.paint("green", "✓")} this folder is linked to ${service ? `service ${service} of ` : ""}project ${project.slug} (${environment})`,
    );
  },
});

async function allProjects(api: Api): Promise<Project[]> {
  return Array.fromAsync(
    everyItem<typeof listProjects, Project>(api.call, listProjects, { query: { limit: 200 } }),
  );
}

async function projectOf(api: Api, named: string): Promise<Project> {
  try {
    return await api.call(getProject, { params: { project: named } });
  } catch (error) {
    if (!isFault(error, "not_found")) throw error;
    const slugs = await allProjects(api).then(
      (all) => all.map(({ slug }) => slug),
      () => [],
    );
    const near = nearest(named, slugs);
    throw near
      ? new ExitError(exitCodes.failed, `${error.message} (did you mean ${near}?)`, { cause: error })
      : error;
  }
}

async function askForProject(context: Context, api: Api): Promise<Project> {
  const projects = await allProjects(api);
  if (projects.length === 0)
    throw new ExitError(exitCodes.failed, "there is no project yet: starform up makes the first");
  const names = projects.map(({ slug }) => slug).join(", ");
  if (projects.length === 1 && context.flags.yes) return projects[0]!;
  if (!context.host.isInputTerminal)
    throw usageError(`name the project: starform link <project> (there are ${names})`);
  return projectOf(api, await context.host.ask(`Which project? (${names}) `));
}

/** The named service, the only one, the one a person picks, or none yet. */
async function chooseService(
  context: Context,
  api: Api,
  project: Project,
  named: string | undefined,
  environment: string,
) {
  const target = { project: project.id, environment };
  if (named) return (await serviceOf(api, { ...target, service: named })).name;
  const items = await allItems(api.call, listServices, {
    params: { project: project.id },
    query: { environment },
  });
  if (items.length === 1) return items[0]!.name;
  if (items.length === 0 || !context.host.isInputTerminal || context.flags.yes) return undefined;
  const names = items.map(({ name }) => name).join(", ");
  const picked = await context.host.ask(`Which service? (${names}; empty for none) `);
  return picked ? (await serviceOf(api, { ...target, service: picked })).name : undefined;
}
