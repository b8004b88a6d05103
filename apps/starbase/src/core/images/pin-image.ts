import { Fault } from "@starform/std/fault";
import type { ImageResolver } from "../../ports/image-resolver.ts";
import type { RegistryProvider } from "../../ports/registry-provider.ts";
import type { Project } from "../access/ports.ts";
import type { Stores } from "../stores.ts";
import type { SecretBox } from "../variables/ports.ts";
import { repositoryAt } from "./image-name.ts";
import { pinned, readReference } from "./image-reference.ts";
import { signInTo } from "./project-credentials.ts";

export type PinDeps = {
  readonly resolver: ImageResolver;
  /** This installation's own. */
  readonly registry: RegistryProvider | undefined;
  readonly box: SecretBox;
};
/** The image with its digest: what a receipt holds, so that a rollback runs what ran. */
export type PinImage = (project: Project, image: string) => Promise<string>;

const askForSeconds = 300;

/**
 * Asks the registry of a prebuilt image what its name stands for now, with the project's sign-in there. An image of our
 * own registry is its project's only. Faults: `not_found`, `invalid`, `unavailable`, each with what to do.
 */
export const pinImage =
  ({ resolver, registry, box }: PinDeps, stores: Pick<Stores, "credentials" | "clusters">): PinImage =>
  async (project, image) => {
    if (image.startsWith("starform.local/")) return image;
    const cluster = await stores.clusters.byId(project.clusterId);
    if (cluster?.runtime === "process")
      throw new Fault(
        "invalid",
        `the process runtime cannot run the image ${image}: start the platform with --runtime docker, or deploy the source instead`,
      );
    const own = registry && isOf(registry, image) ? registry : undefined;
    if (own) refuseForeign(own, project, image);
    const { host, digest } = readReference(image);
    if (digest) return pinned(image, digest);
    const signIn = own
      ? await own.credentials(project.id, "pull", askForSeconds)
      : await signInTo({ ...stores, box }, project.id, { kind: "registry", host });
    return pinned(image, await resolver.digestOf(image, signIn));
  };

export const isOf = ({ prefix }: Pick<RegistryProvider, "prefix">, image: string): boolean =>
  image.startsWith(`${prefix}/`);

function refuseForeign({ prefix }: RegistryProvider, project: Project, image: string): void {
  const path = image.slice(prefix.length + 1).split(/[:@]/)[0]!;
  if (repositoryAt(path)?.projectId !== project.id)
    throw new Fault(
      "not_found",
      `this project has no image ${image}: its own begin with ${prefix}/${project.id}/`,
    );
}
