import type { ServiceProposal } from "./plan-info.ts";
import { type Framework, frameworkOf } from "./providers/node/frameworks.ts";
import { manifestPath } from "./providers/node/package-json.ts";
import { packageManagerOf, runScript, type PackageManager } from "./providers/node/package-manager.ts";
import { type Member, readWorkspace, type Workspace } from "./providers/node/workspace.ts";
import { readReferences } from "./read-references.ts";
import type { SourceTree } from "./source-tree.ts";

/** An app that was found, to be looked into when its turn comes; undefined if it is none after all. */
export type Candidate = {
  /** Of the repository. */
  readonly folder: string;
  propose(): Promise<ServiceProposal | undefined> | ServiceProposal;
};

/** Members of a JavaScript workspace that run or are a site, built from the root because they share its packages. */
export function workspaceServices(tree: SourceTree): Candidate[] {
  if (!manifestPath(tree)) return [];
  const workspace = readWorkspace(tree);
  const manager = packageManagerOf(tree, workspace.root.manifest);
  const byName = new Map(workspace.members.toReversed().map((one) => [one.manifest.name, one]));
  return workspace.members.flatMap((member): Candidate[] => {
    const framework = frameworkOf(tree, member);
    const runs = member.manifest.scripts["start"] !== undefined;
    const site = runs ? undefined : siteFolder(member, framework);
    if (!runs && site === undefined) return [];
    const propose = () =>
      proposal(tree, { workspace, manager, local: localDependencies(byName, member) }, member, site);
    return [{ folder: member.folder, propose }];
  });
}

type Around = {
  readonly workspace: Workspace;
  readonly manager: PackageManager;
  /** The workspace's own packages that the member depends on. */
  readonly local: readonly Member[];
};

/** Where a member that only builds writes its site. Its own configuration may say otherwise; the proposal can be corrected. */
const sites: Partial<Record<Framework, string>> = { vite: "dist", astro: "dist", cra: "build" };

const siteFolder = ({ folder }: Member, framework: Framework | undefined): string | undefined => {
  const output = framework && sites[framework];
  return output === undefined ? undefined : `${folder}/${output}`;
};

function proposal(
  tree: SourceTree,
  around: Around,
  member: Member,
  site: string | undefined,
): ServiceProposal {
  const named = { folder: member.folder, name: member.manifest.name };
  const last = member.folder.slice(member.folder.lastIndexOf("/") + 1);
  const build = buildCommand(tree, around, member);
  return {
    name: last,
    type: /^workers?$|-worker$/.test(last) ? "worker" : "web",
    rootDirectory: ".",
    provider: "node",
    reason: `${member.folder} is a member of the workspace that ${site === undefined ? "has a start script" : "builds a site"}`,
    watchPaths: [member, ...around.local]
      .map(({ folder }) => `${folder}/**`)
      // Anchored: without the stroke a pattern is of every folder.
      .concat(lockFiles.filter(tree.hasFile).map((file) => `/${file}`)),
    ...(build === undefined ? {} : { buildCommand: build }),
    ...(site === undefined ? { startCommand: runScript(around.manager, "start", named) } : {}),
    variables: {
      ...readReferences(tree, member.folder),
      ...(site === undefined ? {} : { RAILPACK_SPA_OUTPUT_DIR: site }),
    },
  };
}

const lockFiles = [
  "package.json",
  "package-lock.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "yarn.lock",
  "bun.lock",
  "bun.lockb",
  "turbo.json",
  "nx.json",
];

/** Turborepo and Nx know what a member needs built first; without them its local dependencies are built before it. */
function buildCommand(
  tree: SourceTree,
  { manager, workspace, local }: Around,
  member: Member,
): string | undefined {
  const name = member.manifest.name;
  const exec = { npm: "npx ", pnpm: "pnpm exec ", yarn: "yarn run ", bun: "bunx " }[manager.program];
  if (name && tree.hasFile("turbo.json") && workspace.dependsOn("turbo"))
    return `${exec}turbo run build --filter=${name}`;
  if (name && tree.hasFile("nx.json") && workspace.dependsOn("nx")) return `${exec}nx build ${name}`;
  const built = [...local.toReversed(), member].filter(({ manifest }) => manifest.scripts["build"]);
  return built.length === 0
    ? undefined
    : built
        .map((one) => runScript(manager, "build", { folder: one.folder, name: one.manifest.name }))
        .join(" && ");
}

/** The workspace's own packages that a member depends on, nearest first, each once. */
function localDependencies(byName: ReadonlyMap<string | undefined, Member>, member: Member): Member[] {
  const found = new Set<Member>();
  const visit = ({ manifest }: Member): void => {
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).toSorted()) {
      const local = byName.get(name);
      if (!local || local === member || found.has(local)) continue;
      found.add(local);
      visit(local);
    }
  };
  visit(member);
  return [...found];
}
