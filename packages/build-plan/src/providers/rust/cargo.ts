import { matchesGlob } from "../../matches-glob.ts";
import type { SourceTree } from "../../source-tree.ts";

export interface CargoManifest {
  readonly package?: {
    readonly name?: string;
    readonly edition?: string;
    readonly "rust-version"?: unknown;
    readonly "default-run"?: string;
  };
  readonly bin?: readonly { readonly name?: string; readonly path?: string }[];
  readonly workspace?: {
    readonly members?: readonly string[];
    readonly exclude?: readonly string[];
    readonly "default-members"?: readonly string[];
  };
}

export const cargoManifest = (tree: SourceTree, folder = ""): CargoManifest | undefined =>
  tree.readToml(folder === "" ? "Cargo.toml" : `${folder}/Cargo.toml`) as CargoManifest | undefined;

/** The binaries of the crate at the root, as Cargo finds them. */
export function binaries(tree: SourceTree): string[] {
  const manifest = cargoManifest(tree);
  const name = manifest?.package?.name;
  const main = name && tree.hasFile("src/main.rs") ? [name] : [];
  const bins = Array.isArray(manifest?.bin) ? manifest.bin : [];
  const listed = bins.flatMap((bin) => (typeof bin?.name === "string" ? [bin.name] : []));
  const files = tree.find("src/bin/*.rs").map((file) => file.slice("src/bin/".length, -".rs".length));
  const folders = tree.find("src/bin/*/main.rs").map((file) => file.split("/")[2]!);
  const isNamedOtherwise = bins.some((bin) => bin?.path === "src/main.rs");
  return [...new Set([...(isNamedOtherwise ? [] : main), ...listed, ...files, ...folders])];
}

/** Of a larger workspace the planner looks at no more. */
const [cratesMax, patternsMax] = [500, 16];
const isPattern = (member: string): boolean => /[*?]/.test(member);

/** The package of a workspace that can be run: of its default members first, in their order. */
export function workspaceBinary(tree: SourceTree): string | undefined {
  const workspace = cargoManifest(tree)?.workspace;
  if (!workspace?.members || tree.hasFile("src/main.rs")) return undefined;
  const listed = [...list(workspace["default-members"]), ...list(workspace.members)].slice(0, 200);
  const crates = tree
    .find("**/Cargo.toml")
    .slice(0, cratesMax)
    .map((file) => file.slice(0, -"/Cargo.toml".length));
  const patterns = listed.filter(isPattern).slice(0, patternsMax);
  const folders = listed.flatMap((member) =>
    isPattern(member) ? (patterns.includes(member) ? crates.filter(matchesGlob(member)) : []) : [member],
  );
  const excluded = list(workspace.exclude);
  for (const folder of folders.filter((one) => !excluded.includes(one)).slice(0, cratesMax)) {
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
    (manifest?.bin?.length ?? 0) > 0 ||
    !has("src/lib.rs");
  return runs ? manifest?.package?.name : undefined;
}

const list = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
