import type { Clock } from "@starform/std/clock";
import { Fault, wordsOf } from "@starform/std/fault";
import { nameOf } from "../../core/images/image-name.ts";
import { tokenSeconds } from "../../core/images/grant-registry-access.ts";
import type { RegistryPasswords, RegistryTokens } from "../../core/images/ports.ts";
import type {
  ImageRepository,
  RegistryAccess,
  RegistryCredentials,
  RegistryProvider,
} from "../../ports/registry-provider.ts";
import { isReferrersTag, referrersTag } from "./attach-documents.ts";
import { distributionClient } from "./distribution-client.ts";
import { garbageCollector, type GarbageCollectorOptions } from "./garbage-collector.ts";
import { registryStorage } from "./registry-storage.ts";

export type DockerRegistryOptions = Omit<GarbageCollectorOptions, "storage"> & {
  /** `127.0.0.1:<port>`: also what image names begin with. */
  readonly host: string;
  /** See the port. */
  readonly clusterHost?: string | undefined;
  readonly storageDir: string;
  readonly tokens: RegistryTokens;
  readonly passwords: RegistryPasswords;
  readonly clock: Clock;
};

const isOfDocuments = ({ tags }: { tags: readonly string[] }): boolean =>
  tags.length > 0 && tags.every(isReferrersTag);

/** Debian's docker-registry on this machine, whose token server is Starbase. */
export function dockerRegistry(options: DockerRegistryOptions): RegistryProvider & AsyncDisposable {
  const { host, tokens, passwords, clock } = options;
  const storage = registryStorage(options.storageDir);
  const collector = garbageCollector({ ...options, storage });

  const credentials = (projectId: string, access: RegistryAccess, expiresAt: Date): RegistryCredentials => ({
    host,
    username: projectId,
    password: passwords.seal({ projectId, access, expiresAt }),
    expiresAt,
  });

  const deleteManifest = async (repository: ImageRepository, digest: string): Promise<void> => {
    const name = `${repository.projectId}/${repository.serviceId}`;
    const scopes = [{ type: "repository", name, actions: ["pull", "delete"] }];
    const token = tokens.sign({ subject: "starform", scopes, now: clock.now(), seconds: tokenSeconds });
    const client = distributionClient({ origin: `http://${host}`, token });
    const { status, body } = await client
      .call("DELETE", `/v2/${name}/manifests/${digest}`)
      .catch((error: unknown) => {
        throw new Fault("unavailable", `the registry at ${host} cannot be reached: ${wordsOf(error)}`, {
          cause: error,
        });
      });
    if (status !== 202 && status !== 404)
      throw new Fault("unavailable", `the registry at ${host} did not delete an image (${status})`, {
        detail: { body: body.slice(0, 500) },
      });
  };

  return {
    title: "the registry of this machine",
    prefix: host,
    host,
    clusterHost: options.clusterHost ?? host,
    credentialScope: "project",
    repositories: () => storage.repositories(),
    async images(repository) {
      const all = await storage.manifests(repository);
      // What builds say of their images lies beside them, and is no image.
      return all.filter((one) => !isOfDocuments(one)).map(({ parts: _parts, ...image }) => image);
    },
    async remove(repository, digest) {
      const before = await storage.manifests(repository);
      const beside = before.find(({ tags }) => tags.includes(referrersTag(digest)));
      for (const part of beside ? [beside.digest, ...beside.parts] : [])
        await deleteManifest(repository, part);
      const parts = before.find((one) => one.digest === digest)?.parts ?? [];
      const needed = new Set(before.flatMap((one) => (one.digest === digest ? [] : one.parts)));
      await deleteManifest(repository, digest);
      for (const part of parts.filter((one) => !needed.has(one))) await deleteManifest(repository, part);
    },
    ensureRepository: async (repository) => nameOf(host, repository),
    credentials: async (projectId, access, lifetimeSeconds) =>
      credentials(projectId, access, new Date(clock.now().getTime() + lifetimeSeconds * 1_000)),
    pullUntil: (projectId, until) => credentials(projectId, "pull", until),
    collectGarbage: () => collector.start(),
    garbageCollection: () => collector.state(),
    [Symbol.asyncDispose]: () => collector.stop(),
  };
}
