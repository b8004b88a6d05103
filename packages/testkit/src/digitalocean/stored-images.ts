import { createHash } from "node:crypto";

export type StoredManifest = { bytes: Buffer; type: string; updatedAt: Date };
type Repository = { manifests: Map<string, StoredManifest>; tags: Map<string, string> };

export const sha256Of = (bytes: Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

type Descriptor = { digest: string; size: number };
type Content = { config?: Descriptor; layers?: Descriptor[]; manifests?: Descriptor[] };

/** What a registry holds: blobs of all, manifests and tags of each repository. */
export function storedImages(now: () => Date) {
  const blobs = new Map<string, Buffer>();
  const repositories = new Map<string, Repository>();
  const repository = (name: string): Repository => {
    const found = repositories.get(name) ?? { manifests: new Map(), tags: new Map() };
    repositories.set(name, found);
    return found;
  };
  const contentOf = ({ bytes }: StoredManifest): Content => JSON.parse(bytes.toString()) as Content;
  const blobsOf = (manifest: StoredManifest): Descriptor[] => {
    const { config, layers = [] } = contentOf(manifest);
    return [...(config ? [config] : []), ...layers];
  };
  /** With the parts of an index, each time they are part of one. */
  const sizeOf = (name: string, manifest: StoredManifest): number =>
    blobsOf(manifest).reduce((sum, blob) => sum + blob.size, manifest.bytes.length) +
    (contentOf(manifest).manifests ?? []).reduce((sum, part) => {
      const found = repository(name).manifests.get(part.digest);
      return sum + (found ? sizeOf(name, found) : 0);
    }, 0);

  return {
    blobs,
    names: () => [...repositories].filter(([, { manifests }]) => manifests.size > 0).map(([name]) => name),
    repository,
    blobsOf,
    sizeOf,
    tagsOf: (name: string, digest: string): string[] =>
      [...repository(name).tags].filter(([, one]) => one === digest).map(([tag]) => tag),
    put(name: string, reference: string, bytes: Buffer, type: string): string {
      const digest = sha256Of(bytes);
      repository(name).manifests.set(digest, { bytes, type, updatedAt: now() });
      if (!reference.startsWith("sha256:")) repository(name).tags.set(reference, digest);
      return digest;
    },
    find(name: string, reference: string): StoredManifest | undefined {
      const { manifests, tags } = repository(name);
      return manifests.get(tags.get(reference) ?? reference);
    },
    /** Answers whether there was one. */
    remove(name: string, digest: string): boolean {
      const { manifests, tags } = repository(name);
      for (const [tag, one] of tags) if (one === digest) tags.delete(tag);
      return manifests.delete(digest);
    },
    /** Takes away the blobs that no manifest names. */
    sweep(): { blobs: number; bytes: number } {
      const needed = new Set(
        [...repositories.values()].flatMap(({ manifests }) =>
          [...manifests.values()].flatMap((manifest) => blobsOf(manifest).map(({ digest }) => digest)),
        ),
      );
      const gone = [...blobs].filter(([digest]) => !needed.has(digest));
      for (const [digest] of gone) blobs.delete(digest);
      return { blobs: gone.length, bytes: gone.reduce((sum, [, bytes]) => sum + bytes.length, 0) };
    },
  };
}
export type StoredImages = ReturnType<typeof storedImages>;
