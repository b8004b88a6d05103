import * as contract from "@starform/contract/deployments";
import { isFinal } from "@starform/contract/states";
import { Fault } from "@starform/std/fault";
import type { FastifyInstance } from "fastify";
import { notFound, type Authorize } from "../core/access/authorize.ts";
import type { Outlooks } from "../core/builds/outlooks.ts";
import type { SourceStore } from "../core/builds/ports.ts";
import type { CreateDeployment } from "../core/deployments/create-deployment.ts";
import type { DeploymentSource } from "../core/deployments/deployment-origin.ts";
import { diffDeployments, receiptOf } from "../core/deployments/diff-deployments.ts";
import type { SeenDeployment } from "../core/deployments/ports.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { PlacedService } from "../core/services/ports.ts";
import { checkImage } from "../core/services/source.ts";
import type { Stores } from "../core/stores.ts";
import type { Changes } from "../ports/changes.ts";
import { presentDeployment, type Urls } from "./present.ts";
import { cursorIn, paged } from "./pages.ts";
import { serve, type ServeDeps } from "./serve.ts";
import { placeIn } from "./services.ts";

export type DeploymentDeps = ServeDeps & {
  stores: Stores;
  authorize: Authorize;
  changes: Changes;
  urls: Urls;
  sources: SourceStore;
  outlooks: Outlooks;
  createDeployment: CreateDeployment;
  cancelDeployment: (actor: Actor, id: string) => Promise<void>;
  rollBackDeployment: (actor: Actor, id: string) => Promise<{ id: string }>;
};

async function seen(
  { stores, authorize }: Pick<DeploymentDeps, "stores" | "authorize">,
  actor: Actor,
  id: string,
): Promise<SeenDeployment> {
  const deployment = (await stores.deployments.seenById(id)) ?? notFound("deployment");
  await authorize.projectById(actor, deployment.projectId, deployment.environment, "project.read");
  return deployment;
}

const present = async (
  { urls, outlooks }: Pick<DeploymentDeps, "urls" | "outlooks">,
  deployment: SeenDeployment,
): Promise<contract.Deployment> =>
  presentDeployment(deployment, urls, (await outlooks([deployment]))(deployment.id));

export function deploymentRoutes(app: FastifyInstance, deps: DeploymentDeps): void {
  serve(app, deps, contract.listDeployments, async ({ actor, params, query }) => {
    const { project, place } = await placeIn(
      deps,
      actor,
      { ...params, environment: query.environment },
      "project.read",
    );
    const rows = await deps.stores.deployments.page(project.id, place.id, place.environmentId, {
      limit: query.limit + 1,
      ...cursorIn(query),
    });
    const outlookOf = await deps.outlooks(rows);
    return paged(
      rows,
      query.limit,
      (row) => presentDeployment(row, deps.urls, outlookOf(row.id)),
      (row) => row.id,
    );
  });
  serve(app, deps, contract.createDeployment, async ({ actor, params, query, body }, deps) => {
    const { project, environment, place } = await placeIn(
      deps,
      actor,
      { ...params, ...query },
      "deployments.write",
    );
    const source = await sourceOf(deps.sources, place, body);
    const trigger = body.sourceId ? "up" : source.kind === "latest" ? "redeploy" : "api";
    const made = await deps.createDeployment(actor, {
      project,
      environment,
      place,
      trigger,
      source,
      commit: body.commit,
      noCache: body.noCache,
    });
    return present(deps, await seen(deps, actor, made.id));
  });
  serve(app, deps, contract.getDeployment, async ({ actor, params, query, request, signal }) => {
    let deployment = await present(deps, await seen(deps, actor, params.deployment));
    const look = async () => {
      deployment = await present(deps, await seen(deps, actor, params.deployment));
      const isNews = deployment.revision > (query.seen ?? -1) || isFinal(deployment.status);
      return isNews || (query.position !== undefined && deployment.inLine?.position !== query.position);
    };
    const ofThis = { kind: "deployment", deploymentId: deployment.id } as const;
    const what = query.position === undefined ? ofThis : ([ofThis, { kind: "build_queue" }] as const);
    const caller = {
      authorization: request.headers.authorization,
      signal,
      check: (now: Actor) => seen(deps, now, params.deployment),
    };
    if (query.wait > 0)
      await deps.whileAllowed(caller, (allowed) =>
        deps.changes.waitFor(what, { ms: query.wait * 1_000, signal: allowed, look }),
      );
    return deployment;
  });
  serve(app, deps, contract.cancelDeployment, async ({ actor, params }) => {
    await deps.cancelDeployment(actor, params.deployment);
    return present(deps, await seen(deps, actor, params.deployment));
  });
  serve(app, deps, contract.rollBackDeployment, async ({ actor, params }, deps) => {
    const { id } = await deps.rollBackDeployment(actor, params.deployment);
    return present(deps, await seen(deps, actor, id));
  });
  serve(app, deps, contract.diffDeployments, async ({ actor, params }) => {
    const [from, to] = [await seen(deps, actor, params.deployment), await seen(deps, actor, params.other)];
    if (from.serviceId !== to.serviceId)
      throw new Fault(
        "invalid",
        "these deployments are of two different services: compare two of one service",
      );
    return { from: from.id, to: to.id, changes: diffDeployments(deps.box, from, to) };
  });
  serve(app, deps, contract.getReceipt, async ({ actor, params }) =>
    receiptOf(await seen(deps, actor, params.deployment)),
  );
}

/** Uploads keep their own limit, so that a large folder is no reason to hold it in memory. */
export function sourceRoutes(app: FastifyInstance, deps: DeploymentDeps): void {
  serve(app, deps, contract.uploadSource, async ({ actor, params, request }) => {
    const { project } = await deps.authorize.project(actor, params.project, "project.read");
    const service =
      (await deps.stores.services.ofProject(project.id)).find(
        (s) => s.id === params.service || s.name === params.service,
      ) ?? notFound("service", params.service);
    await deps.authorize.project(actor, params.project, "deployments.write");
    return deps.sources.saveUpload(service.id, request.raw);
  });
}

type Body = { sourceId?: string | undefined; ref?: string | undefined; image?: string | undefined };

async function sourceOf(
  sources: SourceStore,
  place: PlacedService,
  { sourceId, ref, image }: Body,
): Promise<DeploymentSource> {
  if ([sourceId, ref, image].filter((given) => given !== undefined).length > 1)
    throw new Fault("invalid", "give one of sourceId, ref and image, not several");
  if (sourceId !== undefined) {
    if (!(await sources.hasUpload(place.id, sourceId)))
      throw new Fault(
        "not_found",
        "there is no such uploaded source: send the folder again with `starform up`",
      );
    return { kind: "upload", sourceId };
  }
  if (image !== undefined) {
    checkImage(image);
    return { kind: "image", image };
  }
  if (ref === undefined) return { kind: "latest" };
  if (place.source.kind === "git") return { kind: "git", url: place.source.url, ref };
  if (/^[0-9a-f]{40}$/.test(ref)) return { kind: "commit", sha: ref };
  throw new Fault(
    "invalid",
    `${place.name} is deployed by pushing to it: push the branch, or give a whole commit id that was pushed before`,
  );
}
