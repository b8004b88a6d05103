import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, valueOf } from "../../command.ts";
import { starformSchemaPath } from "@starform/contract/hosts";
import { ServiceType, Tier } from "@starform/contract/names";
import { exitCodes, ExitError } from "../../exit-error.ts";

/** Whose schema a folder names that belongs to no platform yet. */
const publicUrl = "https://starform.app";

type Flags = {
  type?: ServiceType;
  tier?: Tier;
  start?: string;
  build?: string;
  health?: string;
  schedule?: string;
};

export default command<Flags>({
  brief: "write a starform.json for this folder",
  detail:
    "Nothing has to be in it: what is left out is detected. Commit it, and every deployment of the folder follows it.",
  flags: {
    type: {
      kind: "enum",
      values: ServiceType.options,
      optional: true,
      brief: "web (traffic), worker (none) or cron",
    },
    tier: { kind: "enum", values: Tier.options, optional: true, brief: "CPU and memory of one instance" },
    start: valueOf("command", "the start command"),
    build: valueOf("command", "the build command"),
    health: valueOf("path", "what answers 2xx or 3xx when the app is well"),
    schedule: valueOf("cron", "when a cron service runs: five fields, UTC"),
  },
  async run(context, { type, tier, start, build, health, schedule }) {
    const path = join(context.host.cwd, "starform.json");
    if (existsSync(path))
      throw new ExitError(exitCodes.failed, `${path} is there already: edit it, or delete it first`);
    const { parseStarformFile } = await import("@starform/build-plan/starform-file");
    const file = {
      $schema: `${(context.knownUrl() ?? publicUrl).replace(/\/$/, "")}${starformSchemaPath}`,
      ...(type ? { type } : {}),
      ...(schedule ? { type: "cron", cron: schedule } : {}),
      ...(build ? { buildCommand: build } : {}),
      ...(start ? { startCommand: start } : {}),
      ...(health ? { healthCheck: { path: health } } : {}),
      ...(tier ? { tier } : {}),
    };
    const outcome = parseStarformFile(file);
    if (outcome.kind === "refused") throw new ExitError(exitCodes.usage, outcome.message);
    const { planApart } = await import("@starform/build-plan/plan-apart");
    const plan = await planApart(context.host.cwd);
    await writeFile(path, `${JSON.stringify(file, null, 2)}\n`, { flag: "wx" });
    const found = plan.ok ? plan.info.providers.join(", ") || "a Dockerfile" : undefined;
    context.answer({ path, file, detected: plan.ok ? plan.info.providers : [] }, () =>
      [
        `${context.paint("green", "✓")} wrote ${path}`,
        found
          ? `found ${found}; deploy it: starform up`
          : "no app was found in this folder yet; starform plan says what is looked for",
      ].join("\n"),
    );
  },
});
