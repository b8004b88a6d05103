import path from "node:path";
import { printBuildPlan } from "@starform/build-plan/build-plan";
import type { BaseImages } from "@starform/buildkit/base-images";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { buildPlan } from "@starform/buildkit/build-plan";
import { imagesOfPlan } from "@starform/buildkit/dockerfile-images";
import { buildWithFrontend } from "@starform/buildkit/build-with-frontend";
import type { BuildOptions, BuiltImage } from "@starform/buildkit/built-image";
import type { BuildKit } from "@starform/buildkit/client";
import { hasImageFile, type ImageFile } from "@starform/buildkit/read-image-file";
import { standInBases } from "@starform/buildkit/stand-in";
import type { BuildSpec } from "../../ports/build-service.ts";
import { inside } from "../process-builder/copy-tree.ts";
import { debianPackagesOf } from "./debian-packages.ts";
import { imagesOfFile, refuseForeignImages } from "./refuse-foreign-images.ts";
import type { Watch } from "./watched-build.ts";

/** Where an image goes, and what it starts from. */
export type ImageTarget = Pick<BuildOptions, "push" | "insecureRegistry" | "registryAuth" | "hosts"> & {
  /** The name without tag and digest; its tag is the build's id. */
  readonly repository: string;
  /** What the names of images begin with below which each project has its own, and may build on no other's. */
  readonly projectPrefixes: readonly string[];
  /** Stand in for the images that plans name, which else are fetched from their registry. */
  readonly bases?: BaseImages;
};

/** Has a builder make a plan's or a Dockerfile's image. Rejects with BuildFailed when what is built is at fault. */
export async function buildImage(
  client: BuildKit,
  spec: BuildSpec,
  watch: Pick<Watch, "signal" | "onLog" | "onSent" | "note">,
  target: ImageTarget,
): Promise<BuiltImage> {
  const built = await makeImage(client, spec, watch, target);
  const { repository, push = false, registryAuth } = target;
  const isElsewhere = push && client.transport.engineSocket === undefined;
  const image = {
    reference: isElsewhere ? `${repository}@${built.digest}` : `${repository}:${spec.buildId}`,
    ...(registryAuth && { registryAuth }),
    signal: watch.signal,
  };
  const [debianPackages, hasShell] = await Promise.all([
    debianPackagesOf(client, image),
    spec.outcome.kind === "dockerfile" && hasShellIn(client, image),
  ]);
  watch.signal.throwIfAborted();
  watch.note({ ...(debianPackages && { debianPackages }), ...(hasShell && { hasShell }) });
  return built;
}

/** Of an image that its builder cannot look into again it is not known. */
const hasShellIn = (client: BuildKit, image: Omit<ImageFile, "path">): Promise<boolean> =>
  hasImageFile(client, { ...image, path: "/bin/sh" }).catch(() => false);

async function makeImage(
  client: BuildKit,
  spec: BuildSpec,
  { signal, onLog, onSent }: Pick<Watch, "signal" | "onLog" | "onSent">,
  { repository, bases, projectPrefixes, ...target }: ImageTarget,
): Promise<BuiltImage> {
  signal.throwIfAborted();
  const { outcome } = spec;
  const contextDir = await inside(spec.contextDir, outcome.info.rootDirectory);
  const refuseForeign = (images: readonly string[]) =>
    refuseForeignImages(images, spec.projectId, projectPrefixes);
  const options = {
    ...target,
    contextDir,
    tags: [`${repository}:${spec.buildId}`],
    secrets: spec.variables,
    cacheNamespace: `${spec.workspaceId}/${spec.projectId}`,
    noCache: spec.noCache,
    labels: spec.labels,
    signal,
    onLog,
    onSent,
    // Whatever the source does not name itself: a base's ONBUILD may.
    onImages: refuseForeign,
  };
  if (outcome.kind === "plan") refuseForeign(imagesOfPlan(outcome.plan));
  if (outcome.kind === "plan" && outcome.frontend) {
    const plan = printBuildPlan(outcome.plan);
    return await buildWithFrontend(client, { ...options, frontend: outcome.frontend, plan });
  }
  if (outcome.kind === "plan")
    return await buildPlan(client, { ...options, plan: outcome.plan, ...(bases && { bases }) });
  const dockerfilePath = path.relative(contextDir, await inside(contextDir, outcome.path));
  const buildArgs = Object.fromEntries(
    Object.entries(spec.variables).filter(([name]) => !spec.secretNames.includes(name)),
  );
  refuseForeign(await imagesOfFile(path.join(contextDir, dockerfilePath), buildArgs));
  const standIn = bases && { standIn: standInBases(bases) };
  return await buildDockerfile(client, { ...options, dockerfilePath, buildArgs, ...standIn });
}
