import { readFile, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { repositoryAt } from "../../core/images/image-name.ts";
import type { ImageRepository, StoredImage } from "../../ports/registry-provider.ts";

type Descriptor = { readonly digest: string; readonly size: number };
type Manifest = {
  readonly config?: Descriptor;
  readonly layers?: Descriptor[];
  readonly manifests?: Descriptor[];
};
export type KeptManifest = StoredImage & {
  /** Manifests it is made of, where it is an index; they go with it. */
  readonly parts: readonly string[];
};

/**
 * Reads the folder of docker-registry (2.x: `docker/registry/v2`). Its HTTP interface tells neither when something was
 * pushed nor what has no tag.
 */
export function registryStorage(dir: string) {
  const root = path.join(dir, "docker", "registry", "v2");
  const manifestsDir = ({ projectId, serviceId }: ImageRepository) =>
    path.join(root, "repositories", projectId, serviceId, "_manifests");
  const read = async (digest: string): Promise<{ manifest: Manifest; size: number }> => {
    const hex = hexOf(digest);
    const text = await readFile(path.join(root, "blobs", "sha256", hex.slice(0, 2), hex, "data"), "utf8");
    return { manifest: JSON.parse(text) as Manifest, size: Buffer.byteLength(text) };
  };

  /** Bytes of everything below it; a layer that two parts share counts twice. */
  const sizeOf = async (digest: string): Promise<number> => {
    const { manifest, size } = await read(digest);
    const own = [manifest.config, ...(manifest.layers ?? [])].reduce(
      (sum, one) => sum + (one?.size ?? 0),
      size,
    );
    const parts = await Promise.all(
      (manifest.manifests ?? []).map((part) => sizeOf(part.digest).catch(() => 0)),
    );
    return parts.reduce((sum, one) => sum + one, own);
  };

  return {
    async repositories(): Promise<ImageRepository[]> {
      const projects = await namesIn(path.join(root, "repositories"));
      const found = await Promise.all(
        projects.map(async (project) =>
          (await namesIn(path.join(root, "repositories", project))).map((service) => `${project}/${service}`),
        ),
      );
      return found.flat().flatMap((name) => repositoryAt(name) ?? []);
    },

    /** Every manifest of the repository that is not a part of another, newest first. */
    async manifests(repository: ImageRepository): Promise<KeptManifest[]> {
      const dirOf = manifestsDir(repository);
      const tags = await tagsOf(path.join(dirOf, "tags"));
      const revisions = path.join(dirOf, "revisions", "sha256");
      const kept = await Promise.all(
        (await namesIn(revisions)).map(async (hex): Promise<KeptManifest[]> => {
          // What was deleted leaves its folder without the link.
          const link = await stat(path.join(revisions, hex, "link")).catch(absent);
          if (!link) return [];
          const digest = `sha256:${hex}`;
          const { manifest } = await read(digest);
          return [
            {
              digest,
              tags: tags.get(digest) ?? [],
              sizeBytes: await sizeOf(digest),
              storedAt: link.mtime,
              parts: (manifest.manifests ?? []).map((part) => part.digest),
            },
          ];
        }),
      );
      const all = kept.flat();
      const parts = new Set(all.flatMap((one) => one.parts));
      return all
        .filter(({ digest }) => !parts.has(digest))
        .toSorted((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
    },

    /** Bytes of all files there are. */
    async usedBytes(): Promise<number> {
      const files = await readdir(root, { recursive: true, withFileTypes: true }).catch(absent);
      const sizes = (files ?? [])
        .filter((file) => file.isFile())
        .map((file) => stat(path.join(file.parentPath, file.name)).catch(absent));
      return (await Promise.all(sizes)).reduce((sum, one) => sum + (one?.size ?? 0), 0);
    },

    /** Whether bytes of a push came in since then, which nothing refers to yet. */
    async hasUploadSince(sinceMs: number): Promise<boolean> {
      const repositories = path.join(root, "repositories");
      for (const project of await namesIn(repositories))
        for (const service of await namesIn(path.join(repositories, project))) {
          const uploads = path.join(repositories, project, service, "_uploads");
          for (const id of await namesIn(uploads)) {
            const data = await stat(path.join(uploads, id, "data")).catch(absent);
            const begun = await stat(path.join(uploads, id)).catch(absent);
            if (Math.max(data?.mtimeMs ?? 0, begun?.mtimeMs ?? 0) >= sinceMs) return true;
          }
        }
      return false;
    },
  };
}
export type RegistryStorage = ReturnType<typeof registryStorage>;

async function tagsOf(dir: string): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>();
  for (const tag of await namesIn(dir)) {
    const digest = await readFile(path.join(dir, tag, "current", "link"), "utf8").catch(absent);
    if (digest) tags.set(digest, [...(tags.get(digest) ?? []), tag]);
  }
  return tags;
}

const hexOf = (digest: string): string => digest.slice("sha256:".length);

const namesIn = async (dir: string): Promise<string[]> => (await readdir(dir).catch(absent)) ?? [];

/** What is not there, or went while it was looked at. */
const absent = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
};
