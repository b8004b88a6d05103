import type { Clock } from "@starform/std/clock";
import { record } from "../audit/record.ts";
import type { DeploymentProgress } from "../builds/ports.ts";
import type { Transact, UnitOfWork } from "../stores.ts";
import { mergedVariables } from "../variables/book.ts";
import type { SecretBox } from "../variables/ports.ts";
import { activate, runConfigOf } from "./activate.ts";
import { endWith } from "./end.ts";
import type { Deployment } from "./ports.ts";
import { openSnapshot } from "./snapshot.ts";
import { beginStage, endStage } from "./stages.ts";

/** What a build tells of itself, written into the deployment it is for. */
export function deploymentProgress({
  transact,
  clock,
  box,
}: {
  transact: Transact;
  clock: Clock;
  box: SecretBox;
}): DeploymentProgress {
  /** The deployment under its place's lock, so that no cancel or rollback comes between. */
  const locked = async (uow: UnitOfWork, id: string) => {
    const seen = await uow.deployments.seenById(id);
    if (!seen) return undefined;
    const place = await uow.services.placed(seen.projectId, seen.environmentId, seen.serviceId, "for update");
    const deployment = await uow.deployments.byId(seen.projectId, id);
    return place && deployment ? { place, deployment } : undefined;
  };
  const setStages = async (id: string, change: (deployment: Deployment) => Deployment["stages"]) => {
    await transact(async (uow) => {
      const found = await locked(uow, id);
      if (found) await uow.deployments.change(id, ["building"], { stages: change(found.deployment) });
    });
  };
  return {
    beginBuild: (id) =>
      transact(async (uow) => {
        const found = await locked(uow, id);
        if (!found?.deployment.source || !found.deployment.buildId) return undefined;
        const { place, deployment } = found;
        if (!(await uow.deployments.change(id, ["pending", "building"], { status: "building" })))
          return undefined;
        await uow.builds.begin(found.deployment.buildId, clock.now());
        await uow.projects.touch(deployment.projectId);
        const snapshot = openSnapshot(box, deployment.variables);
        const variables = [...mergedVariables(snapshot.groups).values()];
        return {
          deploymentId: id,
          buildId: deployment.buildId!,
          workspaceId: deployment.workspaceId,
          projectId: deployment.projectId,
          serviceId: place.id,
          serviceName: place.name,
          environment: place.environment,
          source: deployment.source!,
          settings: place.settings,
          variables: {
            ...snapshot.injected,
            ...Object.fromEntries(variables.map(({ name, value }) => [name, value])),
          },
          secretNames: variables.filter((v) => v.isSecret).map((v) => v.name),
          noCache: deployment.noCache,
          plan: await uow.workspaces.plan(deployment.workspaceId),
        };
      }),
    beginStage: (id, stage) => setStages(id, ({ stages }) => beginStage(stages, stage, clock.now())),
    endStage: (id, stage, outcome) =>
      setStages(id, ({ stages }) => endStage(stages, stage, outcome, clock.now())),
    setCommit: async (id, commit) => {
      await transact((uow) => uow.deployments.change(id, ["building"], { commit }));
    },
    keepDocuments: (buildId, documents) =>
      transact(({ builds }) => builds.keepDocuments(buildId, documents, clock.now())),
    keepReport: (buildId, report) => transact(({ builds }) => builds.keepReport(buildId, report)),
    finishBuild: (id, built) =>
      transact(async (uow) => {
        const found = await locked(uow, id);
        if (!found || found.deployment.status !== "building" || !found.deployment.buildId) return;
        await uow.deployments.finishBuild(found.deployment.buildId, {
          ...built,
          info: { ...built.info },
          endedAt: clock.now(),
        });
        const deployment = await uow.deployments.change(id, ["building"], { status: "built" });
        const clusterId = deployment && (await uow.desired.clusterOf(deployment.projectId));
        if (!deployment || !clusterId) return;
        const config = runConfigOf(found.place, { ...found.place.settings, ...built.fileSettings });
        await activate(uow, clock, {
          deployment,
          place: found.place,
          clusterId,
          config,
          image: built.image,
          imageDigest: built.imageDigest,
        });
      }),
    failBuild: (id, reason) =>
      transact(async (uow) => {
        const found = await locked(uow, id);
        if (!found) return;
        const { deployment, place } = found;
        const ended = await endWith(uow, clock, deployment, "failed", reason);
        if (ended)
          await record(uow.audit, clock, {
            workspaceId: deployment.workspaceId,
            projectId: deployment.projectId,
            event: "deployment.failed",
            actor: "starform",
            subject: `${place.name} #${deployment.number}`,
            detail: { reason },
          });
      }),
  };
}
