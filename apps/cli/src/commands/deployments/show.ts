import { getBuild } from "@starform/contract/builds";
import { getReceipt } from "@starform/contract/deployments";
import { sayDuration } from "@starform/std/duration";
import { command, flagOf, word } from "../../command.ts";
import { findDeployment } from "../../deploy/find-deployment.ts";
import { sayReport } from "../../deploy/say-report.ts";
import { sayOutlook } from "../../deploy/say-outlook.ts";
import { table } from "../../output/table.ts";
import { serviceTarget } from "../../target.ts";
import { statusWords } from "./list.ts";

export const show = command<{ receipt: boolean }, [string]>({
  brief: "one deployment with its stages and its build",
  flags: { receipt: flagOf("what it was made of: commit, image, config, digests of the variables (JSON)") },
  positional: { kind: "tuple", parameters: [word("deployment", "number or id")] },
  async run(context, { receipt }, named) {
    const api = await context.api();
    const deployment = await findDeployment(api, () => serviceTarget(context, api), named);
    if (receipt) {
      const written = await api.call(getReceipt, { params: { deployment: deployment.id } });
      return context.answer(written, () => JSON.stringify(written, null, 2));
    }
    const { commit, reason, url, image, stages } = deployment;
    const span = (from: string | null, to: string | null) =>
      from && to ? sayDuration(Date.parse(to) - Date.parse(from)) : "-";
    const build = deployment.buildId
      ? await api.call(getBuild, { params: { build: deployment.buildId } })
      : null;
    context.answer({ ...deployment, build }, () =>
      [
        `${deployment.service} #${deployment.number} in ${deployment.environment}: ${statusWords(context, deployment)}${reason ? ` (${reason.split("\n")[0]})` : ""}`,
        ...(reason?.split("\n").slice(1) ?? []),
        `id      ${deployment.id}`,
        `by      ${deployment.createdBy}, ${deployment.trigger}, ${deployment.createdAt}`,
        ...(commit ? [`commit  ${commit.sha} ${commit.ref}: ${commit.message.split("\n")[0]}`] : []),
        ...(image ? [`image   ${image}`] : []),
        ...(url ? [`url     ${url}`] : []),
        ...(sayOutlook(deployment) ? [`outlook ${sayOutlook(deployment)}`] : []),
        "",
        table(
          ["STAGE", "OUTCOME", "TOOK"],
          stages.map((s) => [s.name, s.outcome, span(s.startedAt, s.endedAt)]),
        ),
        ...(build?.report ? sayReport(build.report) : []),
      ].join("\n"),
    );
  },
});
