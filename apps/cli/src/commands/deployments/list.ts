import type { Deployment } from "@starform/contract/deployments";
import { sayDuration } from "@starform/std/duration";
import { command, countOf } from "../../command.ts";
import type { Context } from "../../context.ts";
import { deploymentsOf } from "../../deploy/find-deployment.ts";
import { sayInLine } from "../../deploy/say-outlook.ts";
import { sayAgo } from "../../output/say-time.ts";
import { table } from "../../output/table.ts";
import { serviceTarget } from "../../target.ts";

export const list = command<{ lines?: number }>({
  brief: "the deployments of a service, newest first",
  flags: { lines: countOf("count", "how many (20)") },
  aliases: { n: "lines" },
  async run(context, { lines = 20 }) {
    const api = await context.api();
    const target = await serviceTarget(context, api);
    const found: Deployment[] = [];
    for await (const deployment of deploymentsOf(api, target, Math.min(Math.max(lines, 1), 200))) {
      if (found.length >= lines) break;
      found.push(deployment);
    }
    context.answer(found, () =>
      found.length === 0
        ? `${target.service} has not been deployed to ${target.environment} yet: starform up`
        : table(
            ["", "STATUS", "TRIGGER", "COMMIT", "WHEN", "TOOK", "BY", "REASON"],
            found.map((d) => row(context, d)),
          ),
    );
  },
});

export const statusWords = ({ paint }: Context, { status, isActive }: Deployment): string =>
  status === "deployed"
    ? isActive
      ? paint("green", "● live")
      : "deployed"
    : paint(status === "failed" ? "red" : status === "cancelled" ? "dim" : "yellow", status);

function row(context: Context, deployment: Deployment): string[] {
  const { number, trigger, commit, createdAt, durationMs, createdBy, reason } = deployment;
  return [
    `#${number}`,
    statusWords(context, deployment),
    trigger,
    commit ? `${commit.sha.slice(0, 7)} ${commit.message.split("\n")[0]!.slice(0, 40)}` : "-",
    sayAgo(createdAt, context.host.now()),
    durationMs === null ? "-" : sayDuration(durationMs),
    createdBy,
    reason?.split("\n")[0] ?? sayInLine(deployment) ?? "",
  ];
}
