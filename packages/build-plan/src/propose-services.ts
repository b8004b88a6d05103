import type { ServiceProposal } from "./plan-info.ts";
import { type PlanError, type PlannedRoot, type PlanOutcome, planRoot } from "./plan-root.ts";
import { mainProcess, readProcfile } from "./procfile.ts";
import { beginReading, type Reading, type SourceTree } from "./source-tree.ts";
import { PlanRefusal } from "./plan-refusal.ts";
import { type AppFolder, appFolders, providerAtRoot } from "./app-folders.ts";
import { article } from "./choose-provider.ts";
import { readReferences } from "./read-references.ts";
import { readStarformFile, type StarformSettings } from "./starform-file.ts";
import { type Candidate, workspaceServices } from "./workspace-services.ts";

/** Nobody reads a longer list. */
const servicesMax = 40;

/** What a repository seems to hold. */
export interface Proposals {
  readonly services: ServiceProposal[];
  /** What was passed over, in sentences. */
  readonly notes: string[];
  /** Where there are none: what was looked for, and the smallest change that would help. */
  readonly error?: PlanError;
}

/**
 * The services a repository seems to hold, in order of their folders: the members of a workspace that run, the folders
 * with an app of their own, the processes of a Procfile. One entry for an ordinary repository, none where nothing is
 * recognised. A proposal is for a person to correct; a folder that cannot be planned is left out.
 */
export async function proposeServices(dir: string): Promise<Proposals> {
  const planned = await planRoot(dir, { rootDirectory: "." });
  const { outcome } = planned;
  const proposals = await servicesBeside(dir, planned);
  return proposals.services.length === 0 && !outcome.ok ? { ...proposals, error: outcome.error } : proposals;
}

/** The same for a source whose root is planned already. */
export async function servicesBeside(
  dir: string,
  { outcome, tree }: PlannedRoot,
  reading: Reading = beginReading(),
): Promise<Proposals> {
  if (!tree) return { services: [], notes: [] };
  try {
    const members = workspaceServices(tree);
    const atTop = members.length > 0 ? members : await atRoot(dir, tree, outcome);
    const candidates = [...atTop, ...inFolders({ dir, tree, reading }, atTop)];
    if (candidates.length > servicesMax)
      tree.note(
        `only the first ${servicesMax} of the ${candidates.length.toLocaleString("en")} folders and processes that may be apps were looked at`,
      );
    const services: ServiceProposal[] = [];
    for (const candidate of candidates.slice(0, servicesMax)) {
      const proposal = await candidate.propose();
      if (proposal) services.push(proposal);
    }
    return { services: withUniqueNames(services), notes: [...tree.notes] };
  } catch (cause) {
    if (!(cause instanceof PlanRefusal)) throw cause;
    const { message, lookedFor, hint } = cause;
    return { services: [], notes: [...tree.notes], error: { message, lookedFor: [...lookedFor], hint } };
  }
}

async function atRoot(dir: string, tree: SourceTree, outcome: PlanOutcome): Promise<Candidate[]> {
  const provider = providerOf(outcome);
  if (provider === undefined) return [];
  const settings = await settingsOf(dir);
  const name = nameOf((tree.readJson("package.json") as { name?: unknown } | undefined)?.name) ?? "web";
  const base = { rootDirectory: ".", provider, watchPaths: [], variables: readReferences(tree, "") };
  const processes = [...readProcfile(tree)].filter(([process]) => process !== "release");
  const proposals: ServiceProposal[] =
    processes.length < 2
      ? [
          {
            ...base,
            ...plannedStart(outcome),
            ...ofSettings(settings),
            name,
            type: settings.type ?? typeOfProcfile(tree),
            reason: "the repository's root holds an app",
          },
        ]
      : processes.map(([process, startCommand]) => ({
          ...base,
          name: nameOf(process) ?? process,
          type: process === "web" ? "web" : "worker",
          startCommand,
          reason: `the Procfile has a ${process} process`,
        }));
  return proposals.map((proposal) => ({ folder: "", propose: () => proposal }));
}

const typeOfProcfile = (tree: SourceTree): "web" | "worker" => {
  const process = mainProcess(readProcfile(tree));
  return process && process.name !== "web" ? "worker" : "web";
};

type Source = { readonly dir: string; readonly tree: SourceTree; readonly reading: Reading };

function inFolders(source: Source, atTop: readonly Candidate[]): Candidate[] {
  const known = new Set(atTop.map(({ folder }) => folder));
  return appFolders(source.tree, known.has(""))
    .filter(({ folder }) => !known.has(folder))
    .map((app) => ({ folder: app.folder, propose: () => inFolder(source, app) }));
}

async function inFolder(
  { dir, tree, reading }: Source,
  { folder, file, provider: seenAs }: AppFolder,
): Promise<ServiceProposal | undefined> {
  const { outcome } = await planRoot(dir, { rootDirectory: folder }, reading);
  // A library beside the root's app, of its language, is most likely a part of it.
  if (!outcome.ok && (seenAs === undefined || seenAs !== providerAtRoot(tree)))
    tree.note(`${folder} has ${article(file)} ${file}, but is not proposed: ${outcome.error.message}`);
  const provider = providerOf(outcome);
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
    ...plannedStart(outcome),
    ...ofSettings(settings),
  };
}

function providerOf(outcome: PlanOutcome): string | undefined {
  if (!outcome.ok) return undefined;
  return outcome.kind === "dockerfile" ? "dockerfile" : outcome.info.providers[0];
}

function plannedStart(outcome: PlanOutcome): { plannedStart?: string } {
  const command = outcome.ok && outcome.kind === "plan" ? outcome.plan.deploy.startCommand : undefined;
  return command === undefined ? {} : { plannedStart: command };
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

const nameLengthMax = 30;
/** A service's name of any text: lower case, hyphens, 2 to 30 letters; undefined if nothing usable is left. */
function nameOf(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const name = text
    .replace(/^@[^/]*\//, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, nameLengthMax)
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
      ...Array.from(
        { length: 3 * servicesMax },
        (_, index) => `${parent.slice(0, nameLengthMax - 4)}-${index + 2}`,
      ),
    ];
    const name = candidates.find((candidate) => !taken.has(candidate))!;
    taken.add(name);
    return { ...proposal, name };
  });
}
