import * as contract from "@starform/contract/builds";
import { Fault, isFault } from "@starform/std/fault";
import type { FastifyInstance } from "fastify";
import { notFound, type Authorize } from "../core/access/authorize.ts";
import type { BuildRecord } from "../core/builds/build-store.ts";
import type { BuildDocument, DocumentKind } from "../core/builds/documents/build-document.ts";
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
  serve(app, deps, contract.getBuild, async ({ actor, params }) => {
    const build = await seen(actor, params.build);
    return present(build, await deps.stores.builds.documents(build.id));
  });
  const document = async (actor: Actor, id: string, kind: DocumentKind) => {
    const build = await seen(actor, id);
    const found = (await deps.stores.builds.documents(build.id)).find((one) => one.kind === kind);
    if (!found)
      throw new Fault(
        "not_found",
        build.image
          ? "this build is older than such documents: deploy the source again to have them"
          : "this build made no image, so there is nothing to say of one",
      );
    return JSON.parse(found.text) as Record<string, unknown>;
  };
  serve(app, deps, contract.getSbom, ({ actor, params }) => document(actor, params.build, "sbom"));
  serve(app, deps, contract.getProvenance, ({ actor, params }) =>
    document(actor, params.build, "provenance"),
  );
}

const present = (build: BuildRecord, documents: readonly BuildDocument[]): contract.Build => ({
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
  documents: documents.map(({ kind, mediaType, digest, text }) => ({
    kind,
    mediaType,
    digest,
    sizeBytes: Buffer.byteLength(text),
  })),
});
