import { list, table, text } from "../../loose-values.ts";
import { matchesGlob } from "../../matches-glob.ts";
import type { SourceTree } from "../../source-tree.ts";

/** What the planner reads of a Cargo.toml; anything of another type than it should be counts as absent. */
export interface CargoManifest {
  readonly name: string | undefined;
  readonly edition: string | undefined;
  readonly rustVersion: string | undefined;
  readonly defaultRun: string | undefined;
  readonly bins: readonly { readonly name: string | undefined; readonly path: string | undefined }[];
  readonly workspace:
    | {
        readonly members: readonly string[];
        readonly exclude: readonly string[];
        readonly defaultMembers: readonly string[];
      }
    | undefined;
}

/** The manifest in a folder ("" is the root), if there is one. What a root's package leaves to its workspace is read there. */
export function cargoManifest(tree: SourceTree, folder = ""): CargoManifest | undefined {
  const content = tree.readToml(folder === "" ? "Cargo.toml" : `${folder}/Cargo.toml`);
  if (!content) return undefined;
  const [own, workspace] = [table(content["package"]), table(content["workspace"])];
  const inherited = table(workspace["package"]);
  const bins: unknown[] = Array.isArray(content["bin"]) ? content["bin"] : [];
  return {
    name: text(own["name"]),
    edition: text(own["edition"]) ?? text(inherited["edition"]),
    rustVersion: text(own["rust-version"]) ?? text(inherited["rust-version"]),
    defaultRun: text(own["default-run"]),
    bins: bins.map(table).map((bin) => ({ name: text(bin["name"]), path: text(bin["path"]) })),
    workspace:
      content["workspace"] === undefined
        ? undefined
        : {
            members: list(workspace["members"]),
            exclude: list(workspace["exclude"]),
            defaultMembers: list(workspace["default-members"]),
          },
  };
}

/** The binaries of the crate at the root, as Cargo finds them. */
export function binaries(tree: SourceTree): string[] {
  const manifest = cargoManifest(tree);
  const name = manifest?.name;
  const main = name && tree.hasFile("src/main.rs") ? [name] : [];
  const bins = manifest?.bins ?? [];
  const listed = bins.flatMap((bin) => bin.name ?? []);
  const files = tree.find("src/bin/*.rs").map((file) => file.slice("src/bin/".length, -".rs".length));
  const folders = tree.find("src/bin/*/main.rs").map((file) => file.split("/")[2]!);
  const isNamedOtherwise = bins.some((bin) => bin.path === "src/main.rs");
  return [...new Set([...(isNamedOtherwise ? [] : main), ...listed, ...files, ...folders])];
}

/** Of a larger workspace the planner looks at no more. */
const [cratesMax, patternsMax] = [500, 16];
const isPattern = (member: string): boolean => /[*?]/.test(member);

/** The package of a workspace that can be run: of its default members first, in their order. */
export function workspaceBinary(tree: SourceTree): string | undefined {
  const workspace = cargoManifest(tree)?.workspace;
  if (!workspace || tree.hasFile("src/main.rs")) return undefined;
  const listed = [...workspace.defaultMembers, ...workspace.members].slice(0, 200);
  const crates = tree
    .find("**/Cargo.toml")
    .slice(0, cratesMax)
    .map((file) => file.slice(0, -"/Cargo.toml".length));
  const patterns = listed.filter(isPattern).slice(0, patternsMax);
  const folders = listed.flatMap((member) =>
    isPattern(member) ? (patterns.includes(member) ? crates.filter(matchesGlob(member)) : []) : [member],
  );
  for (const folder of folders.filter((one) => !workspace.exclude.includes(one)).slice(0, cratesMax)) {
    const name = runnable(tree, folder);
    if (name !== undefined) return name;
  }
  return undefined;
}

function runnable(tree: SourceTree, folder: string): string | undefined {
  const manifest = cargoManifest(tree, folder);
  const has = (file: string) => tree.hasFile(`${folder}/${file}`);
  const runs =
    has("src/main.rs") ||
    tree.hasDirectory(`${folder}/src/bin`) ||
    (manifest?.bins.length ?? 0) > 0 ||
    !has("src/lib.rs");
  return runs ? manifest?.name : undefined;
}
