import type { ImageRepository, ImageStore } from "../../ports/registry-provider.ts";
import { storedName } from "./image-name.ts";

/** Takes what a deleted service was built into out of the stores it is in; what is gone already is no error. */
export const removeImages =
  (stores: readonly ImageStore[]) =>
  async ({
    images,
    repository,
  }: {
    images: readonly string[];
    repository?: ImageRepository | undefined;
  }): Promise<void> => {
    for (const store of stores) {
      for (const image of images) {
        const named = storedName(store.prefix, image);
        if (named) await store.remove(named.repository, named.digest);
      }
      // What people pushed there, and builds that nobody waited for.
      for (const { digest } of repository ? await store.images(repository) : [])
        await store.remove(repository!, digest);
    }
  };
