import * as contract from "@starform/contract/builds";
import { isFault } from "@starform/std/fault";
import type { FastifyInstance } from "fastify";
import { notFound, type Authorize } from "../core/access/authorize.ts";
import type { BuildRecord } from "../core/builds/build-store.ts";
import type { Actor } from "../core/identity/actor.ts";
import type { Stores } from "../core/stores.ts";
import { serve, type ServeDeps } from "./serve.ts";

export type BuildDeps = ServeDeps & { stores: Pick<Stores, "builds">; authorize: Authorize };

export function buildRoutes(app: FastifyInstance, deps: BuildDeps): void {
  /** Of a project the caller may see: that there is such a build is told to nobody else. */
  const seen = async (actor: Actor, id: string): Promise<BuildRecord> => {
    const build = (await deps.stores.builds.byId(id)) ?? notFound("build");
    try {
      await deps.authorize.project(actor, build.projectId, "project.read");
    } catch (error) {
      // Not that there is such a project, which is all that the caller would learn.
      return isFault(error, "not_found") ? notFound("build") : Promise.reject(error);
    }
    return build;
  };
  serve(app, deps, contract.getBuild, async ({ actor, params }) => present(await seen(actor, params.build)));
}

const present = (build: BuildRecord): contract.Build => ({
  id: build.id,
  projectId: build.projectId,
  serviceId: build.serviceId,
  createdAt: build.createdAt.toISOString(),
  startedAt: build.startedAt?.toISOString() ?? null,
  endedAt: build.endedAt?.toISOString() ?? null,
  image: build.image,
  imageDigest: build.imageDigest,
  info: { ...build.info },
  report: build.report,
});
