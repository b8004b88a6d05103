import { exec, fromSource, fromStep, word } from "../../commands.ts";
import { addCache, addStep, decide, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { Provider } from "../../provider.ts";
import { binaries, cargoManifest, workspaceBinary } from "./cargo.ts";
import { chooseRust } from "./rust-version.ts";

export const rust: Provider = {
  name: "rust",
  label: "Rust",
  looksFor: ["Cargo.toml"],
  manifests: ["Cargo.toml"],
  detects: ({ tree }) => tree.hasFile("Cargo.toml"),
  startHint: () => "Add a src/main.rs, or set RAILPACK_RUST_BIN to the binary to run.",

  plan(draft) {
    const { tree, variables } = draft;
    chooseRust(draft);
    const isWasm = /target\s*=\s*"wasm32-wasi"/.test(tree.read(".cargo/config.toml") ?? "");
    const target = isWasm
      ? { argument: " --target wasm32-wasi", folder: "wasm32-wasi/", suffix: ".wasm" }
      : { argument: "", folder: "", suffix: "" };
    const build = addStep(draft, "build", toolsStep, "because Cargo fetches and builds in one");
    build.inputs.push(fromSource());
    build.secrets = ["*"];
    addCache(draft, build, "cargo_registry", "/root/.cargo/registry");
    addCache(draft, build, "cargo_git", "/root/.cargo/git");
    addCache(draft, build, "cargo_target", "/app/target");
    if (isWasm) decide(draft, "build for wasm32-wasi", "because .cargo/config.toml says so");
    if (isWasm) build.commands.push(exec("rustup target add wasm32-wasi"));
    const asked = variables.get("CARGO_WORKSPACE");
    const member = asked ?? workspaceBinary(tree);
    if (member)
      decide(
        draft,
        `build the package ${member} of the workspace`,
        asked
          ? `because RAILPACK_CARGO_WORKSPACE says ${asked}`
          : "because it is the first of the workspace's members that can be run",
      );
    const names = member ? [member] : binaries(tree);
    build.commands.push(
      exec("mkdir -p bin"),
      exec(`cargo build --release${member ? ` --package ${word(member)}` : ""}${target.argument}`),
    );
    // The target folder is a cache, so what is to stay is copied out of it.
    build.commands.push(
      ...names.map((name) => exec(`cp target/${target.folder}release/${word(name)}${target.suffix} bin`)),
    );
    draft.exclude.push("target");
    draft.deploy.variables["ROCKET_ADDRESS"] = "0.0.0.0";
    draft.deploy.inputs.push(fromStep("build", ["."], ["target"]));
    const chosen = chooseBinary(draft, names, member !== undefined);
    if (chosen) startWith(draft, `./bin/${word(chosen.name)}${target.suffix}`, `because ${chosen.reason}`);
  },
};

type Chosen = { readonly name: string; readonly reason: string };

function chooseBinary(draft: PlanDraft, names: readonly string[], isMember: boolean): Chosen | undefined {
  const wanted = draft.variables.get("RUST_BIN");
  if (wanted && !names.includes(wanted)) {
    throw new PlanRefusal(`RAILPACK_RUST_BIN=${wanted} is no binary of this crate`, {
      hint: `Set it to one of: ${names.join(", ") || "(none found)"}.`,
    });
  }
  if (wanted) return { name: wanted, reason: `RAILPACK_RUST_BIN says ${wanted}` };
  if (names.length === 1)
    return {
      name: names[0]!,
      reason: isMember ? "it is the package that is built" : "it is the only binary",
    };
  const byDefault = cargoManifest(draft.tree)?.defaultRun;
  if (byDefault) return { name: byDefault, reason: "Cargo.toml's default-run says so" };
  if (names.length === 0 || draft.config.deploy?.startCommand || draft.tree.hasFile("Procfile"))
    return undefined;
  throw new PlanRefusal(`this crate has ${names.length} binaries, and nothing says which to run`, {
    hint: `Set default-run in Cargo.toml, or RAILPACK_RUST_BIN, to one of: ${names.join(", ")}.`,
    lookedFor: ["default-run in Cargo.toml", "RAILPACK_RUST_BIN"],
  });
}
