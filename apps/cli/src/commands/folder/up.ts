import { realpathSync } from "node:fs";
import { basename, resolve } from "node:path";
import { command, flagOf, optionalWord, valueOf } from "../../command.ts";
import { ServiceType } from "@starform/contract/names";
import type { Api, Context } from "../../context.ts";
import { ensureProposed, proposedIn } from "../../deploy/ensure-proposed.ts";
import { ensureService } from "../../deploy/ensure-service.ts";
import { partOf } from "../../deploy/part-of.ts";
import { readSource, sendSource, startDeployment } from "../../deploy/send-source.ts";
import { watchOrLeave } from "../deployments/watch-or-leave.ts";
import type { Target } from "../../target.ts";
import type { FolderEntry } from "../../source/folder-entry.ts";
import { commitOf } from "../../source/commit-of.ts";

type Flags = { detach: boolean; noCache: boolean; type?: ServiceType; schedule?: string };

export default command<Flags, [string?]>({
  brief: "deploy this folder and wait until it is live",
  detail:
    "Sends the folder as it is (.gitignore, .starformignore and .dockerignore are respected), builds it, and replaces what runs without a dropped request. The exit code is the deployment's: 0 live, 1 failed, 130 interrupted (the deployment goes on). In a folder without a link, --yes makes a project and a service named after it, or, where the folder holds several apps, a service of each; --service deploys it as one. In the folder of one of them, below the linked root, it deploys that one from the root. With --json every event is a line, and the last one (of each service) is {deploymentId, status, url, imageDigest, durationMs}.",
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
    const asked = resolve(context.host.cwd, named);
    const api = await context.api({ url: context.url(realpathSync(asked)) });
    const part = flags.type || flags.schedule ? undefined : await partOf(context, api, realpathSync(asked));
    if (part)
      context.note(
        `${basename(asked)} is the service ${part.target.service}, which is built from ${part.root}: that is sent`,
      );
    const folder = part?.root ?? asked;
    const entries = await readSource(context, folder);
    const targets = part
      ? [part.target]
      : await targetsOf(context, api, { folder: realpathSync(folder), entries }, flags);
    const commit = await commitOf(context.host, folder);
    const begun = [];
    for (const target of targets) {
      const { sourceId } = await sendSource(context, api, target, folder, entries);
      const body = { sourceId, noCache: flags.noCache, ...(commit ? { commit } : {}) };
      begun.push({ target, deployment: await startDeployment(context, api, target, body) });
    }
    const codes = [];
    for (const { target, deployment } of begun)
      codes.push(await watchOrLeave(context, api, target, deployment, flags.detach));
    return codes.find((code) => code !== 0) ?? 0;
  },
});

/** The services the folder is deployed to, made if need be. */
async function targetsOf(
  context: Context,
  api: Api,
  { folder, entries }: { folder: string; entries: readonly FolderEntry[] },
  { type, schedule }: Flags,
): Promise<readonly Target[]> {
  const proposals = type || schedule ? undefined : await proposedIn(context, api, folder);
  if (proposals) return ensureProposed(context, api, { folder, entries }, proposals);
  const wanted = { sends: entries, ...(type ? { type } : {}), ...(schedule ? { schedule } : {}) };
  return [(await ensureService(context, api, folder, wanted)).target];
}
