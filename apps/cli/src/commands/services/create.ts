import { ServiceType } from "@starform/contract/names";
import { createService } from "@starform/contract/services";
import { command, word } from "../../command.ts";
import { usageError } from "../../exit-error.ts";
import { sayUnwatched } from "../../output/say-unwatched.ts";
import { projectTarget } from "../../target.ts";
import { settingFlags, settingsOf, type SettingFlags } from "./setting-flags.ts";

export const create = command<SettingFlags & { type?: ServiceType }, [string]>({
  brief: "make a service in every environment of the project",
  flags: {
    ...settingFlags,
    type: {
      kind: "enum",
      values: ServiceType.options,
      optional: true,
      brief: "web (traffic), worker (none) or cron",
    },
  },
  positional: { kind: "tuple", parameters: [word("name", "the service's name")] },
  async run(context, { type, ...flags }, name) {
    if (flags.git && flags.image) throw usageError("--git and --image are two sources: name one of them");
    const { project } = projectTarget(context);
    const { call } = await context.api();
    const kind = type ?? (flags.schedule ? "cron" : "web");
    const service = await call(
      createService,
      { params: { project }, body: { name, type: kind, ...settingsOf(flags) } },
      { idempotencyKey: crypto.randomUUID() },
    );
    context.answer(service, () =>
      [
        `${context.paint("green", "✓")} made the ${service.type} ${service.name} in ${service.projectSlug}`,
        ...sayUnwatched(flags.watch, service),
        flags.git || flags.image
          ? `deploy it: starform redeploy -p ${service.projectSlug} -s ${service.name}`
          : `deploy a folder to it: starform up -p ${service.projectSlug} -s ${service.name}`,
      ].join("\n"),
    );
  },
});
