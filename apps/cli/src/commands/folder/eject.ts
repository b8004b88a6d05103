import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { command, flagOf, optionalWord } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";

export default command<{ print: boolean }, [string?]>({
  brief: "write the Dockerfile that a folder's plan stands for",
  detail:
    "From then on the Dockerfile is yours, and the builds take it. One that exists is never overwritten.",
  flags: { print: flagOf("print it and write nothing") },
  positional: { kind: "tuple", parameters: [optionalWord("folder", "whose plan (this folder)")] },
  async run(context, { print }, named = ".") {
    const { planSource } = await import("@starform/build-plan/plan-source");
    const { ejectDockerfile } = await import("@starform/build-plan/eject-dockerfile");
    const folder = resolve(context.host.cwd, named);
    const outcome = await planSource(folder);
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
    context.answer(
      { path },
      () => `${context.paint("green", "✓")} wrote ${path}; the next deployment is built by it`,
    );
  },
});
