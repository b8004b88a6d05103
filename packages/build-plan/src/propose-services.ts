import type { ServiceProposal } from "./plan-info.ts";
import { type PlannedRoot, type PlanOutcome, planRoot } from "./plan-root.ts";
import { mainProcess, readProcfile } from "./procfile.ts";
import { beginReading, type Reading, type SourceTree } from "./source-tree.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { readReferences } from "./read-references.ts";
import { readStarformFile, type StarformSettings } from "./starform-file.ts";
import { workspaceServices } from "./workspace-services.ts";

/** Of workspace members, of processes, and of folders: nobody reads a longer list. */
const servicesMax = 40;

/**
 * The services a repository seems to hold, in order of their folders: the members of a workspace that run, the folders
 * with an app of their own, the processes of a Procfile. One entry for an ordinary repository, none where nothing is
 * recognised. A proposal is for a person to correct; a folder that cannot be planned is left out.
 */
export async function proposeServices(dir: string): Promise<ServiceProposal[]> {
  return servicesBeside(dir, await planRoot(dir, { rootDirectory: "." }));
}

/** The same for a source whose root is planned already. */
export async function servicesBeside(
  dir: string,
  { outcome, tree }: PlannedRoot,
  reading: Reading = beginReading(),
): Promise<ServiceProposal[]> {
  if (!tree) return [];
  try {
    const members = workspaceServices(tree, servicesMax);
    const atTop = members.length > 0 ? members : await atRoot(dir, tree, providerOf(outcome));
    return withUniqueNames([...atTop, ...(await inFolders({ dir, tree, reading }, members))]);
  } catch (cause) {
    if (cause instanceof PlanRefusal) return [];
    throw cause;
  }
}

async function atRoot(
  dir: string,
  tree: SourceTree,
  provider: string | undefined,
): Promise<ServiceProposal[]> {
  if (provider === undefined) return [];
  const settings = await settingsOf(dir);
  const name = nameOf((tree.readJson("package.json") as { name?: unknown } | undefined)?.name) ?? "web";
  const base = { rootDirectory: ".", provider, watchPaths: [], variables: readReferences(tree, "") };
  const processes = [...readProcfile(tree)].filter(([process]) => process !== "release");
  if (processes.length < 2)
    return [
      {
        ...base,
        ...ofSettings(settings),
        name,
        type: settings.type ?? typeOfProcfile(tree),
        reason: "the repository's root holds an app",
      },
    ];
  return processes.slice(0, servicesMax).map(([process, startCommand]) => ({
    ...base,
    name: nameOf(process) ?? process,
    type: process === "web" ? "web" : "worker",
    startCommand,
    reason: `the Procfile has a ${process} process`,
  }));
}

const typeOfProcfile = (tree: SourceTree): "web" | "worker" => {
  const process = mainProcess(readProcfile(tree));
  return process && process.name !== "web" ? "worker" : "web";
};

/** What makes a folder an app's own. */
const manifests = [
  "starform.json",
  "Dockerfile",
  "package.json",
  "go.mod",
  "requirements.txt",
  "pyproject.toml",
  "Pipfile",
  "Procfile",
].concat([
  "Cargo.toml",
  "Gemfile",
  "composer.json",
  "pom.xml",
  "build.gradle",
  "build.gradle.kts",
  "mix.exs",
  "deno.json",
  "deno.jsonc",
  "gleam.toml",
  "railpack.json",
]);
/** Folders that show or check things rather than run. */
const besides =
  /(^|\/)(examples?|docs?|tests?|__tests__|e2e|fixtures?|samples?|templates?|scripts?|tools?|vendor|packages|libs?|third_party)(\/|$)/i;

type Source = { readonly dir: string; readonly tree: SourceTree; readonly reading: Reading };

async function inFolders(source: Source, known: readonly ServiceProposal[]): Promise<ServiceProposal[]> {
  const { tree } = source;
  const folders = new Set<string>();
  const knownPaths = new Set(known.map(({ watchPaths }) => watchPaths[0]));
  for (const file of tree.files) {
    const at = file.lastIndexOf("/");
    const folder = file.slice(0, Math.max(0, at));
    if (folder === "" || folder.split("/").length > 3 || !manifests.includes(file.slice(at + 1))) continue;
    if (besides.test(folder) && !tree.hasFile(`${folder}/starform.json`)) continue;
    if (!knownPaths.has(`${folder}/**`)) folders.add(folder);
  }
  const outermost = [...folders]
    .toSorted()
    .filter((folder) => !foldersAbove(folder).some((other) => folders.has(other)));
  const proposals: ServiceProposal[] = [];
  for (const folder of outermost.slice(0, servicesMax)) {
    const proposal = await inFolder(source, folder);
    if (proposal) proposals.push(proposal);
  }
  return proposals;
}

const foldersAbove = (folder: string): string[] =>
  folder.split("/").map((_name, index, names) => names.slice(0, index).join("/"));

async function inFolder(
  { dir, tree, reading }: Source,
  folder: string,
): Promise<ServiceProposal | undefined> {
  const provider = providerOf((await planRoot(dir, { rootDirectory: folder }, reading)).outcome);
  if (provider === undefined) return undefined;
  const settings = await settingsOf(`${dir}/${folder}`);
  const last = folder.slice(folder.lastIndexOf("/") + 1);
  return {
    name: nameOf(last) ?? "app",
    type: settings.type ?? (settings.cron ? "cron" : /^workers?$|-worker$/.test(last) ? "worker" : "web"),
    rootDirectory: folder,
    provider,
    reason: `${folder} holds an app of its own`,
    watchPaths: settings.watchPaths ?? [`${folder}/**`],
    variables: readReferences(tree, folder),
    ...ofSettings(settings),
  };
}

function providerOf(outcome: PlanOutcome): string | undefined {
  if (!outcome.ok) return undefined;
  return outcome.kind === "dockerfile" ? "dockerfile" : outcome.info.providers[0];
}

async function settingsOf(dir: string): Promise<StarformSettings> {
  const outcome = await readStarformFile(dir);
  return outcome.kind === "read" ? outcome.file : {};
}

const ofSettings = ({ buildCommand, startCommand, cron }: StarformSettings): Partial<ServiceProposal> => ({
  ...(buildCommand === undefined ? {} : { buildCommand }),
  ...(startCommand === undefined ? {} : { startCommand }),
  ...(cron === undefined ? {} : { cron }),
});

/** A service's name of any text: lower case, hyphens, 2 to 63 letters; undefined if nothing usable is left. */
function nameOf(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const name = text
    .replace(/^@[^/]*\//, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return name.length >= 2 ? name : undefined;
}

function withUniqueNames(proposals: readonly ServiceProposal[]): ServiceProposal[] {
  const taken = new Set<string>();
  return proposals.map((proposal) => {
    const parent = nameOf(proposal.rootDirectory) ?? "app";
    const candidates = [
      nameOf(proposal.name) ?? "app",
      parent,
      ...Array.from({ length: 3 * servicesMax }, (_, index) => `${parent.slice(0, 60)}-${index + 2}`),
    ];
    const name = candidates.find((candidate) => !taken.has(candidate))!;
    taken.add(name);
    return { ...proposal, name };
  });
}
