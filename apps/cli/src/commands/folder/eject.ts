import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { command, flagOf, optionalWord } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";

export default command<{ print: boolean }, [string?]>({
  brief: "write the Dockerfile that a folder's plan stands for",
  detail:
    "From then on the Dockerfile is yours, and the builds take it. Beside it lies the .dockerignore it needs. Neither is ever overwritten.",
  flags: { print: flagOf("print it and write nothing") },
  positional: { kind: "tuple", parameters: [optionalWord("folder", "whose plan (this folder)")] },
  async run(context, { print }, named = ".") {
    const { planApart } = await import("@starform/build-plan/plan-apart");
    const { ejectDockerfile, ejectedIgnores } = await import("@starform/build-plan/eject-dockerfile");
    const folder = resolve(context.host.cwd, named);
    const outcome = await planApart(folder);
    if (!outcome.ok)
      throw new ExitError(exitCodes.failed, `${outcome.error.message}\n  ${outcome.error.hint}`);
    if (outcome.kind === "dockerfile")
      throw new ExitError(
        exitCodes.failed,
        `${outcome.path} is there already, and the builds take it: there is nothing to eject`,
      );
    const text = ejectDockerfile(outcome.plan);
    if (print) return context.answer({ dockerfile: text }, () => text.trimEnd());
    const path = join(folder, "Dockerfile");
    await writeFile(path, text, { flag: "wx" });
    const missing = await writeIgnores(folder, ejectedIgnores(outcome.plan));
    context.answer({ path, missingIgnores: missing }, () =>
      [
        `${context.paint("green", "✓")} wrote ${path}; the next deployment is built by it`,
        ...(missing.length > 0 ? [`  add to your .dockerignore: ${missing.join(" ")}`] : []),
      ].join("\n"),
    );
  },
});

/** Writes the .dockerignore where there is none; resolves to what the one that is there lacks. */
async function writeIgnores(folder: string, ignores: readonly string[]): Promise<string[]> {
  const path = join(folder, ".dockerignore");
  const there = await readFile(path, "utf8").catch(() => undefined);
  if (there === undefined) await writeFile(path, `${ignores.join("\n")}\n`, { flag: "wx" });
  const lines = new Set((there ?? ignores.join("\n")).split("\n").map((line) => line.trim()));
  return ignores.filter((ignore) => !lines.has(ignore));
}
