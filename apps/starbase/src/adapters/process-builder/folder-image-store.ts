import type { ImageStore } from "../../ports/registry-provider.ts";
import { imageClaims } from "./image-claims.ts";

/** The images of the process runtime: folders that the builder lays down and Shuttle starts apps from. */
export function folderImageStore(imagesDir: string): ImageStore {
  const claims = imageClaims(imagesDir);
  return {
    title: "the image folders of this machine",
    prefix: "starform.local",
    repositories: () => claims.repositories(),
    images: async (repository) =>
      (await claims.of(repository))
        .map(({ hex, sizeBytes, claimedAt }) => ({
          digest: `sha256:${hex}`,
          tags: [],
          sizeBytes,
          storedAt: claimedAt,
        }))
        .toSorted((a, b) => b.storedAt.getTime() - a.storedAt.getTime()),
    remove: (repository, digest) => claims.release(repository, digest.slice("sha256:".length)),
  };
}
