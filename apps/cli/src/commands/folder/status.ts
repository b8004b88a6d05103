import { allItems } from "@starform/client/client";
import { getProject } from "@starform/contract/projects";
import { sayByHand, sayTrouble } from "@starform/contract/say-health";
import { listServices, type Service } from "@starform/contract/services";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { table } from "../../output/table.ts";
import { projectTarget, queryOf, serviceOf } from "../../target.ts";

export default command({
  brief: "show the project's services and what runs",
  async run(context) {
    const target = projectTarget(context);
    const api = await context.api();
    const { call, url } = api;
    const params = { project: target.project };
    const named = context.flags.service;
    const [project, services] = await Promise.all([
      call(getProject, { params }),
      named
        ? serviceOf(api, { ...target, service: named }).then((service) => [service])
        : allItems(call, listServices, { params, query: queryOf(target) }),
    ]);
    context.answer({ url, project, environment: target.environment, services }, () =>
      [
        `project ${project.slug} of ${project.workspaceSlug}, environment ${target.environment}, at ${url}`,
        services.length === 0
          ? "no services yet: starform up"
          : table(
              ["SERVICE", "TYPE", "STATE", "INSTANCES", "DEPLOYMENT", "URL"],
              services.map((s) => row(context, s)),
            ),
        ...services.flatMap(({ name, health }) =>
          [...sayTrouble(health), ...sayByHand(health, new Date())].map((one) => `${name}: ${one}`),
        ),
      ].join("\n"),
    );
  },
});

function row({ paint }: Context, { name, type, health, latestDeployment, url }: Service): string[] {
  const colour = { running: "green", scheduled: "green", crashed: "red", degraded: "yellow" }[
    health.phase as string
  ];
  const phase = health.phase.replaceAll("_", " ");
  return [
    name,
    type,
    colour ? paint(colour as "green", phase) : phase,
    `${health.readyReplicas}/${health.desiredReplicas}${health.restarts ? ` (${health.restarts} restarts)` : ""}`,
    latestDeployment?.status ?? "-",
    url ?? "-",
  ];
}
