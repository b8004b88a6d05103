import type { Clock } from "@starform/std/clock";
import { Fault, isFault, wordsOf } from "@starform/std/fault";
import { z } from "zod";
import { nameOf, repositoryAt } from "../../core/images/image-name.ts";
import type {
  GarbageCollection,
  ImageRepository,
  RegistryCredentials,
  RegistryProvider,
  StoredImage,
} from "../../ports/registry-provider.ts";
import { isReferrersTag, referrersTag } from "../registry/attach-documents.ts";
import { distributionClient, type DistributionClient } from "../registry/distribution-client.ts";
import type { DigitalOceanApi } from "./api.ts";

export type DigitalOceanRegistryOptions = {
  readonly api: DigitalOceanApi;
  /** The name of the registry in the account; it has to exist. */
  readonly name: string;
  readonly clock: Clock;
  /** Where the images themselves are, if not at `registry.digitalocean.com`. */
  readonly registryUrl?: string;
};

const host = "registry.digitalocean.com";
const readForSeconds = 300;

const Repository = z.object({ name: z.string() });
const Manifest = z.object({
  digest: z.string(),
  compressed_size_bytes: z.number().default(0),
  updated_at: z.coerce.date(),
  tags: z.array(z.string()).nullish(),
});
const Collection = z.object({
  uuid: z.string(),
  status: z.string(),
  created_at: z.coerce.date(),
  freed_bytes: z.number().default(0),
});
const Credentials = z.object({ auths: z.object({ [host]: z.object({ auth: z.string() }) }) });
const Index = z.object({ manifests: z.array(z.object({ digest: z.string() })).default([]) });
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(",");

/**
 * A registry at DigitalOcean. Repositories come into being with the first push, and a credential opens the whole
 * registry. What has no tag is not listed: it is a part of an index, or has lost its name to a later push.
 */
export function digitalOceanRegistry(options: DigitalOceanRegistryOptions): RegistryProvider {
  const { api, name, clock, registryUrl = `https://${host}` } = options;
  const at = `/v2/registries/${encodeURIComponent(name)}`;
  const prefix = `${host}/${name}`;
  const pathOf = ({ projectId, serviceId }: ImageRepository) => `${projectId}/${serviceId}`;
  const repositoryUrl = (repository: ImageRepository) =>
    `${at}/repositories/${encodeURIComponent(pathOf(repository))}`;

  const credentials = async (isWriting: boolean, seconds: number): Promise<RegistryCredentials> => {
    const expiresAt = new Date(clock.now().getTime() + seconds * 1_000);
    const { auths } = await api.call("GET", `${at}/docker-credentials`, {
      query: { read_write: isWriting, expiry_seconds: seconds },
      answer: Credentials,
    });
    const text = Buffer.from(auths[host]!.auth, "base64").toString("utf8");
    const colon = text.indexOf(":");
    return { host, username: text.slice(0, colon), password: text.slice(colon + 1), expiresAt };
  };

  /** Images, and what builds say of them, which lies beside them under names of its own. */
  const named = async (repository: ImageRepository): Promise<StoredImage[]> => {
    const found = await api
      .all(`${repositoryUrl(repository)}/digests`, "manifests", Manifest)
      .catch(ignoreMissing);
    return (found ?? [])
      .flatMap(({ digest, compressed_size_bytes: sizeBytes, updated_at: storedAt, tags }) =>
        tags?.length ? [{ digest, sizeBytes, storedAt, tags }] : [],
      )
      .toSorted((a, b) => b.storedAt.getTime() - a.storedAt.getTime());
  };

  const images = async (repository: ImageRepository): Promise<StoredImage[]> =>
    (await named(repository)).filter(({ tags }) => !tags.every(isReferrersTag));

  /** The manifests an index is made of. */
  const partsOf = async (
    client: DistributionClient,
    repository: ImageRepository,
    digest: string,
  ): Promise<string[]> => {
    const path = `/v2/${name}/${pathOf(repository)}/manifests/${digest}`;
    const { status, body } = await client
      .call("GET", path, { headers: { accept: manifestTypes } })
      .catch((error: unknown) => {
        throw new Fault("unavailable", `${host} cannot be reached: ${wordsOf(error)}`, { cause: error });
      });
    return status === 200 ? Index.parse(JSON.parse(body)).manifests.map((part) => part.digest) : [];
  };

  /** What would stay behind without a name when this goes, and no other image of the repository is made of. */
  const ownPartsOf = async (repository: ImageRepository, digest: string): Promise<string[]> => {
    const client = distributionClient({
      origin: registryUrl,
      credentials: await credentials(false, readForSeconds),
    });
    const parts = await partsOf(client, repository, digest);
    if (parts.length === 0) return [];
    const others = (await images(repository)).filter((image) => image.digest !== digest);
    const needed = new Set<string>();
    for (const other of others) {
      needed.add(other.digest);
      for (const part of await partsOf(client, repository, other.digest)) needed.add(part);
    }
    return parts.filter((part) => !needed.has(part));
  };

  const removeManifest = (repository: ImageRepository, digest: string): Promise<void> =>
    api.call("DELETE", `${repositoryUrl(repository)}/digests/${digest}`).then(() => undefined, ignoreMissing);

  const active = (): Promise<GarbageCollection | undefined> =>
    api
      .call("GET", `${at}/garbage-collection`, { answer: z.object({ garbage_collection: Collection }) })
      .then(({ garbage_collection }) => toCollection(garbage_collection), ignoreMissing);

  return {
    title: `the registry ${name} at DigitalOcean`,
    prefix,
    host,
    clusterHost: host,
    credentialScope: "registry",
    async repositories() {
      const found = await api.all(`${at}/repositoriesV2`, "repositories", Repository);
      return found.flatMap((repository) => repositoryAt(repository.name) ?? []);
    },
    images,
    async remove(repository, digest) {
      for (const beside of await named(repository)) {
        if (!beside.tags.includes(referrersTag(digest))) continue;
        const documents = await ownPartsOf(repository, beside.digest);
        for (const one of [beside.digest, ...documents]) await removeManifest(repository, one);
      }
      const parts = await ownPartsOf(repository, digest);
      await removeManifest(repository, digest);
      for (const part of parts) await removeManifest(repository, part);
    },
    ensureRepository: async (repository) => nameOf(prefix, repository),
    credentials: (_projectId, access, lifetimeSeconds) => credentials(access === "push", lifetimeSeconds),
    // A cluster is attached to the registry by the vendor, once.
    pullUntil: () => undefined,
    async collectGarbage() {
      const running = await active();
      if (running) return running;
      try {
        const answer = z.object({ garbage_collection: Collection });
        return toCollection(
          (await api.call("POST", `${at}/garbage-collection`, { answer })).garbage_collection,
        );
      } catch (error) {
        // Somebody else's came first.
        const other = isFault(error, "conflict") ? await active() : undefined;
        if (other) return other;
        throw error;
      }
    },
    async garbageCollection() {
      const running = await active();
      if (running) return running;
      const answer = z.object({ garbage_collections: z.array(Collection).default([]) });
      const { garbage_collections: past } = await api.call("GET", `${at}/garbage-collections`, { answer });
      const last = past.toSorted((a, b) => b.created_at.getTime() - a.created_at.getTime())[0];
      return last && toCollection(last);
    },
  };
}

const ends: Readonly<Record<string, GarbageCollection["state"]>> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

function toCollection({
  uuid,
  status,
  created_at,
  freed_bytes,
}: z.infer<typeof Collection>): GarbageCollection {
  const state = ends[status] ?? "running";
  return {
    id: uuid,
    state,
    startedAt: created_at,
    ...(state === "running" ? {} : { freedBytes: freed_bytes }),
    ...(state === "failed" ? { reason: "DigitalOcean says only that it failed" } : {}),
  };
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Fault && error.code === "not_found") return undefined;
  throw error;
}
