import { matchesGlob } from "./matches-glob.ts";
import { providersInOrder } from "./providers/providers-in-order.ts";
import type { SourceTree } from "./source-tree.ts";

/** A folder that seems to hold an app. */
export interface AppFolder {
  readonly folder: string;
  /** What it is seen by, and whether that makes it a project of its own wherever it lies. */
  readonly file: string;
  readonly isProject: boolean;
  /** The provider that looks for the file; undefined for one that is of no language. */
  readonly provider: string | undefined;
}

type Mark = Pick<AppFolder, "isProject" | "provider"> & { readonly matches: (file: string) => boolean };

const mark = (name: string, isProject: boolean, provider?: string): Mark => ({
  isProject,
  provider,
  matches: name.includes("*") ? matchesGlob(name) : (file) => file === name,
});

/** What the providers look for, in their order; before it what makes a folder an app whatever it is written in. */
const marks: readonly Mark[] = [
  ...["starform.json", "Dockerfile", "Procfile", "railpack.json"].map((name) => mark(name, true)),
  ...providersInOrder.flatMap(({ name, manifests }) => manifests.map((file) => mark(file, true, name))),
  ...providersInOrder.flatMap(({ name, looksFor, manifests }) =>
    looksFor
      .filter((file) => !file.endsWith("/") && !manifests.includes(file))
      .map((file) => mark(file, false, name)),
  ),
];

/** Folders that show, check or hold things rather than run. */
const besides =
  /(^|\/)(examples?|docs?|tests?|__tests__|specs?|e2e|fixtures?|samples?|templates?|scripts?|tools?|vendor|packages|libs?|third_party|public|dist|build|out|coverage|static|assets)(\/|$)/i;
const depthMax = 3;

/**
 * The folders below the root that seem to hold an app, in order. One inside another of them is a part of it, unless it
 * is a project of its own and the other is not; so is one inside the app at the root, if there is one.
 */
export function appFolders(tree: SourceTree, isAppAtRoot: boolean): AppFolder[] {
  const apps = new Map([...seenIn(tree)].map(([folder, seen]) => [folder, appOf(folder, seen)]));
  const root = apps.get("");
  apps.delete("");
  const isPartOf = (app: AppFolder, above: AppFolder | undefined): boolean =>
    above !== undefined && (above.isProject || !app.isProject);
  const isPartOfRoot = ({ isProject, provider }: AppFolder): boolean =>
    isAppAtRoot && !isProject && (root?.isProject !== false || root.provider === provider);
  return [...apps.values()]
    .filter(
      (app) =>
        !isPartOfRoot(app) && !foldersAbove(app.folder).some((other) => isPartOf(app, apps.get(other))),
    )
    .toSorted((a, b) => (a.folder < b.folder ? -1 : 1));
}

type Seen = { readonly rank: number; readonly file: string };

/** The strongest mark of each folder. */
function seenIn(tree: SourceTree): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  for (const path of tree.files) {
    const at = path.lastIndexOf("/");
    const [folder, file] = [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
    if (folder.split("/").length > depthMax) continue;
    const rank = marks.findIndex(({ matches }) => matches(file));
    if (rank === -1 || rank >= (seen.get(folder)?.rank ?? marks.length)) continue;
    if (besides.test(folder) && !tree.hasFile(`${folder}/starform.json`)) continue;
    seen.set(folder, { rank, file });
  }
  return seen;
}

function appOf(folder: string, { rank, file }: Seen): AppFolder {
  const { isProject, provider } = marks[rank]!;
  return { folder, file, isProject, provider };
}

/** The provider of what lies at the root. */
export const providerAtRoot = (tree: SourceTree): string | undefined =>
  marks.find(({ provider, matches }) => provider !== undefined && tree.files.some(matches))?.provider;

const foldersAbove = (folder: string): string[] =>
  folder.split("/").map((_name, index, names) => names.slice(0, index).join("/"));
