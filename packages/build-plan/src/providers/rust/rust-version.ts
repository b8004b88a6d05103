import { table, text } from "../../loose-values.ts";
import type { PlanDraft } from "../../plan-draft.ts";
import type { ToolVersion } from "../../plan-info.ts";
import type { SourceTree } from "../../source-tree.ts";
import { chooseVersion } from "../../tool-version.ts";
import { cargoManifest } from "./cargo.ts";

const defaultRust = "1.89";
/** A toolchain that knows the edition and that crates of its time compile with. */
const ofEdition: Record<string, string> = {
  "2015": "1.30.0",
  "2018": "1.55.0",
  "2021": "1.84.0",
  "2024": "1.85.1",
};

export function chooseRust(draft: PlanDraft): void {
  const { tree } = draft;
  const { edition, rustVersion } = cargoManifest(tree) ?? {};
  chooseVersion(draft, {
    tool: "rust",
    label: "Rust",
    variable: "RUST_VERSION",
    files: [...(isToml(tree) ? [] : [legacyToolchain]), "rust-version.txt", ".rust-version"],
    manifest: [
      isToml(tree) ? channelOf(tree, legacyToolchain) : undefined,
      channelOf(tree, "rust-toolchain.toml"),
      said("Cargo.toml's rust-version", rustVersion),
      edition && ofEdition[edition]
        ? { version: ofEdition[edition], reason: `Cargo.toml says edition ${edition}` }
        : undefined,
    ],
    fallback: { version: defaultRust, reason: "nothing in the source names a version" },
    resolve: (wanted) =>
      /^(?:stable|beta|nightly)(?:-\d{4}-\d\d-\d\d)?$/.exec(
        wanted.trim().replace(/^latest$/, "stable"),
      )?.[0] ?? /\d+(?:\.\d+){0,2}/.exec(wanted)?.[0],
  });
}

const said = (where: string, version: string | undefined): ToolVersion | undefined =>
  version === undefined ? undefined : { version, reason: `${where} says ${version}` };

/** It holds a version alone or, as rustup reads it too, what rust-toolchain.toml does. */
const legacyToolchain = "rust-toolchain";
const isToml = (tree: SourceTree): boolean => /^[ \t]*\[toolchain\]/m.test(tree.read(legacyToolchain) ?? "");

const channelOf = (tree: SourceTree, file: string): ToolVersion | undefined =>
  said(file, text(table(tree.readToml(file)?.["toolchain"])["channel"]));
