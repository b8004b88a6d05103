import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { command, flagOf, optionalWord, valueOf } from "../../command.ts";
import { ServiceType } from "@starform/contract/names";
import { ensureService } from "../../deploy/ensure-service.ts";
import { readSource, sendSource, startDeployment } from "../../deploy/send-source.ts";
import { watchOrLeave } from "../deployments/watch-or-leave.ts";
import { commitOf } from "../../source/commit-of.ts";

type Flags = { detach: boolean; noCache: boolean; type?: ServiceType; schedule?: string };

export default command<Flags, [string?]>({
  brief: "deploy this folder and wait until it is live",
  detail:
    "Sends the folder as it is (.gitignore, .starformignore and .dockerignore are respected), builds it, and replaces what runs without a dropped request. The exit code is the deployment's: 0 live, 1 failed, 130 interrupted (the deployment goes on). In a folder without a link, --yes makes a project and a service named after it. With --json every event is a line, and the last one is {deploymentId, status, url, imageDigest, durationMs}.",
  flags: {
    detach: flagOf("return as soon as the deployment has begun"),
    noCache: flagOf("build everything anew"),
    type: {
      kind: "enum",
      values: ServiceType.options,
      optional: true,
      brief: "the kind of a service that is made",
    },
    schedule: valueOf("cron", "when a cron service that is made runs: five fields, UTC"),
  },
  aliases: { d: "detach" },
  positional: { kind: "tuple", parameters: [optionalWord("folder", "what to deploy (this folder)")] },
  async run(context, flags, named = ".") {
    const folder = resolve(context.host.cwd, named);
    const entries = await readSource(context, folder);
    const api = await context.api({ url: context.url(realpathSync(folder)) });
    const wanted = {
      sends: entries,
      ...(flags.type ? { type: flags.type } : {}),
      ...(flags.schedule ? { schedule: flags.schedule } : {}),
    };
    const { target } = await ensureService(context, api, realpathSync(folder), wanted);
    const [{ sourceId }, commit] = await Promise.all([
      sendSource(context, api, target, folder, entries),
      commitOf(context.host, folder),
    ]);
    const body = { sourceId, noCache: flags.noCache, ...(commit ? { commit } : {}) };
    const deployment = await startDeployment(context, api, target, body);
    return watchOrLeave(context, api, target, deployment, flags.detach);
  },
});
