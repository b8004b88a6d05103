import { isUuid } from "@starform/std/ids";
import type { ImageRepository } from "../../ports/registry-provider.ts";

/** The name of a repository in references, without tag and digest. */
export const nameOf = (prefix: string, { projectId, serviceId }: ImageRepository): string =>
  `${prefix}/${projectId}/${serviceId}`;

/** Which repository `<project id>/<service id>` is; undefined for any other path. */
export function repositoryAt(path: string): ImageRepository | undefined {
  const [projectId = "", serviceId = "", ...rest] = path.split("/");
  return rest.length === 0 && isUuid(projectId) && isUuid(serviceId) ? { projectId, serviceId } : undefined;
}

/** A reference of a store, taken apart; undefined where it is not one of that store, or has no digest. */
export function storedName(
  prefix: string,
  image: string,
): { repository: ImageRepository; digest: string } | undefined {
  if (!image.startsWith(`${prefix}/`)) return undefined;
  const [, path = "", digest = ""] =
    /^([^@:]+)(?::[^@]*)?@(sha256:[0-9a-f]{64})$/.exec(image.slice(prefix.length + 1)) ?? [];
  const repository = repositoryAt(path);
  return repository && { repository, digest };
}
