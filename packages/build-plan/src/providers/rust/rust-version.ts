import type { PlanDraft } from "../../plan-draft.ts";
import type { ToolVersion } from "../../plan-info.ts";
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
  const { edition, "rust-version": minimum } = cargoManifest(tree)?.package ?? {};
  const toolchain = (
    tree.readToml("rust-toolchain.toml") as { toolchain?: { channel?: unknown } } | undefined
  )?.toolchain?.channel;
  chooseVersion(draft, {
    tool: "rust",
    label: "Rust",
    variable: "RUST_VERSION",
    files: ["rust-toolchain", "rust-version.txt", ".rust-version"],
    manifest: [
      said("rust-toolchain.toml", toolchain),
      said("Cargo.toml's rust-version", minimum),
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

const said = (where: string, version: unknown): ToolVersion | undefined =>
  typeof version === "string" && version !== "" ? { version, reason: `${where} says ${version}` } : undefined;
