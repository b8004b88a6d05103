import { updateService } from "@starform/contract/services";
import { command, optionalWord, valueOf } from "../../command.ts";
import { usageError } from "../../exit-error.ts";
import { sayRedeployed } from "../../output/say-redeployed.ts";
import { sayUnwatched } from "../../output/say-unwatched.ts";
import { paramsOf, queryOf, serviceTarget } from "../../target.ts";
import { settingFlags, settingsOf, type SettingFlags } from "./setting-flags.ts";

export const update = command<SettingFlags & { rename?: string }, [string?]>({
  brief: "change a service's source and settings",
  detail:
    "Tier, replicas, schedule and drain act at once; what concerns the build, at the next deployment. An empty text puts a setting back.",
  flags: { ...settingFlags, rename: valueOf("name", "a new name") },
  positional: { kind: "tuple", parameters: [optionalWord("name", "which service (the linked one)")] },
  async run(context, { rename, ...flags }, name) {
    if (flags.git && flags.image) throw usageError("--git and --image are two sources: name one of them");
    const body = { ...settingsOf(flags), ...(rename ? { name: rename } : {}) };
    if (Object.keys(body).length === 0)
      throw usageError("name at least one thing to change, such as --tier nova");
    const api = await context.api();
    const target = await serviceTarget(context, api, name);
    const service = await api.call(updateService, { params: paramsOf(target), query: queryOf(target), body });
    context.answer(service, () =>
      [
        `${context.paint("green", "✓")} changed ${service.name} in ${service.environment}`,
        ...sayUnwatched(flags.watch, service),
        ...sayRedeployed(service.redeployed),
      ].join("\n"),
    );
  },
});
