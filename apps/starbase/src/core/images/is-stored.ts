import type { ImageStore } from "../../ports/registry-provider.ts";
import { storedName } from "./image-name.ts";

/** Whether a store still has an image that a build is remembered by. */
export const isStored =
  (store: Pick<ImageStore, "prefix" | "images">) =>
  async ({ image }: { readonly image: string }): Promise<boolean> => {
    const stored = storedName(store.prefix, image);
    if (!stored) return false;
    return (await store.images(stored.repository)).some(({ digest }) => digest === stored.digest);
  };
