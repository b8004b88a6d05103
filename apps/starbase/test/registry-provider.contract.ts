import { uuid } from "@starform/std/ids";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DistributionClient } from "../src/adapters/registry/distribution-client.ts";
import type {
  ImageRepository,
  RegistryCredentials,
  RegistryProvider,
} from "../src/ports/registry-provider.ts";
import { hasBlob, hasManifest, pushImage, pushIndex } from "./push-image.ts";

export type RegistryWorld = AsyncDisposable & {
  readonly registry: RegistryProvider;
  /** A fresh service of the first project, or of a second one. */
  repository(of?: "first" | "second"): Promise<ImageRepository>;
  /** A Docker client that signed in with them. */
  signIn(credentials: RegistryCredentials): DistributionClient;
  /** The repository's name to such a client: what a reference holds behind the host. */
  pathOf(repository: ImageRepository): string;
  /** Moves the clock that credentials end by. */
  pass(ms: number): void;
  /** As if every push that was admitted had ended long ago. */
  settlePushes(): Promise<void>;
};

const hour = 3_600;

/** What every registry promises. */
export function registryProviderContract(name: string, open: () => Promise<RegistryWorld>): void {
  describe(name, () => {
    let world: RegistryWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world[Symbol.asyncDispose]());

    const clientFor = async (repository: ImageRepository, access: "pull" | "push" = "push") =>
      world.signIn(await world.registry.credentials(repository.projectId, access, hour));
    /** Pushes an image into the repository with its own project's credentials. */
    const pushed = async (
      repository: ImageRepository,
      tag: string | undefined = uuid(),
      layer?: Uint8Array,
    ) => {
      await world.registry.ensureRepository(repository);
      return pushImage(await clientFor(repository), world.pathOf(repository), tag, layer);
    };
    const digestsIn = async (repository: ImageRepository) =>
      (await world.registry.images(repository)).map(({ digest }) => digest);

    test("names a repository by its project and service, however often it is made", async () => {
      const repository = await world.repository();
      const { registry } = world;
      const named = await registry.ensureRepository(repository);
      expect(named).toBe(`${registry.prefix}/${repository.projectId}/${repository.serviceId}`);
      expect(named.startsWith(`${registry.host}/`)).toBe(true);
      expect(await registry.ensureRepository(repository)).toBe(named);
      expect(await registry.images(repository)).toEqual([]);
    });

    test("tells what was pushed: digest, tags, size, time", async () => {
      const repository = await world.repository();
      const before = Date.now() - 2_000;
      const first = await pushed(repository, "build-1");
      const second = await pushed(repository, "build-2");
      const images = await world.registry.images(repository);
      expect(images.map(({ digest }) => digest).toSorted()).toEqual([first.digest, second.digest].toSorted());
      const seen = images.find(({ digest }) => digest === first.digest)!;
      expect(seen.tags).toEqual(["build-1"]);
      expect(seen.sizeBytes).toBe(first.sizeBytes);
      expect(seen.storedAt.getTime()).toBeGreaterThan(before);
      expect(await world.registry.repositories()).toContainEqual(repository);
    });

    test("lists images newest first, each once however many names it has", async () => {
      const repository = await world.repository();
      const layer = Buffer.from(`layer ${uuid()}`);
      await pushed(repository, "old");
      await pushed(repository, "same", layer);
      const images = await world.registry.images(repository);
      const times = images.map(({ storedAt }) => storedAt.getTime());
      expect(times).toEqual(times.toSorted((a, b) => b - a));
      expect(images).toHaveLength(2);
    });

    test("a credential to pull does not push", async () => {
      const repository = await world.repository();
      const { digest } = await pushed(repository);
      const reader = await clientFor(repository, "pull");
      expect(await hasManifest(reader, world.pathOf(repository), digest)).toBe(true);
      await expect(pushImage(reader, world.pathOf(repository), "mine")).rejects.toMatchObject({
        status: 401,
      });
      expect(await digestsIn(repository)).toEqual([digest]);
    });

    test("a credential opens what the registry says it opens, and nothing of another project where that is a project", async () => {
      const [own, other] = [await world.repository("first"), await world.repository("second")];
      const { digest } = await pushed(other);
      const client = await clientFor(own);
      const reached = await Promise.allSettled([
        hasManifest(client, world.pathOf(other), digest),
        pushImage(client, world.pathOf(other), "mine"),
      ]);
      const seen = reached.map((each) =>
        each.status === "fulfilled" ? "open" : (each.reason as { status: number }).status,
      );
      const isWhole = world.registry.credentialScope === "registry";
      expect(seen).toEqual(isWhole ? ["open", "open"] : [401, 401]);
      expect(await digestsIn(other)).toHaveLength(isWhole ? 2 : 1);
    });

    test("a credential ends when it says", async () => {
      const repository = await world.repository();
      const { digest } = await pushed(repository);
      const credentials = await world.registry.credentials(repository.projectId, "pull", 120);
      const client = world.signIn(credentials);
      expect(await hasManifest(client, world.pathOf(repository), digest)).toBe(true);
      world.pass(121_000);
      await expect(hasManifest(client, world.pathOf(repository), digest)).rejects.toMatchObject({
        status: 401,
      });
    });

    test("removes one image with its names and no other, and says nothing if it is gone", async () => {
      const [repository, other] = [await world.repository(), await world.repository()];
      const layer = Buffer.from(`shared ${uuid()}`);
      const [gone, kept] = [await pushed(repository, "gone"), await pushed(repository, "kept")];
      const elsewhere = [await pushed(other, "same", layer), await pushed(repository, "same", layer)];
      expect(elsewhere[0]!.digest).toBe(elsewhere[1]!.digest);
      await world.registry.remove(repository, gone.digest);
      await world.registry.remove(repository, elsewhere[1]!.digest);
      await world.registry.remove(repository, gone.digest);
      expect(await digestsIn(repository)).toEqual([kept.digest]);
      expect(await digestsIn(other)).toEqual([elsewhere[0]!.digest]);
      const client = await clientFor(repository);
      expect(await hasManifest(client, world.pathOf(repository), gone.digest)).toBe(false);
      expect(await hasManifest(client, world.pathOf(repository), "gone")).toBe(false);
    });

    test("an image of several parts is one image, and goes with the parts that are its own", async () => {
      const repository = await world.repository();
      const client = await clientFor(repository);
      const name = world.pathOf(repository);
      const part = async () => (await pushImage(client, name, undefined)).digest;
      const [own, shared, other] = [await part(), await part(), await part()];
      const gone = await pushIndex(client, name, "gone", [own, shared]);
      const kept = await pushIndex(client, name, "kept", [shared, other]);
      const images = await world.registry.images(repository);
      expect(images.map(({ digest }) => digest).toSorted()).toEqual([gone, kept].toSorted());
      expect(images.every(({ sizeBytes }) => sizeBytes > 2_000)).toBe(true);
      await world.registry.remove(repository, gone);
      expect(await digestsIn(repository)).toEqual([kept]);
      const left = await Promise.all([own, shared, other].map((digest) => hasManifest(client, name, digest)));
      expect(left).toEqual([false, true, true]);
    });

    test("collecting garbage frees what nothing needs any more and keeps the rest", async () => {
      const repository = await world.repository();
      const [gone, kept] = [await pushed(repository), await pushed(repository)];
      await world.registry.remove(repository, gone.digest);
      await world.settlePushes();
      const begun = await world.registry.collectGarbage();
      expect(begun.state).toBe("running");
      const ended = await until("the collection to end", async () => {
        const now = await world.registry.garbageCollection();
        return now?.state === "running" ? undefined : now;
      });
      expect(ended).toMatchObject({ id: begun.id, state: "succeeded" });
      expect(ended.freedBytes).toBeGreaterThanOrEqual(1_000);
      const client = await clientFor(repository);
      expect(await hasBlob(client, world.pathOf(repository), gone.layer)).toBe(false);
      expect(await hasBlob(client, world.pathOf(repository), kept.layer)).toBe(true);
      expect(await hasManifest(client, world.pathOf(repository), kept.digest)).toBe(true);
    });

    test("refuses pushes while garbage is collected, and answers a second order with the first", async () => {
      const repository = await world.repository();
      const { digest } = await pushed(repository);
      const begun = await world.registry.collectGarbage();
      expect((await world.registry.collectGarbage()).id).toBe(begun.id);
      await expect(pushed(repository)).rejects.toThrow(/refused with 4\d\d/);
      const reader = await clientFor(repository, "pull");
      expect(await hasManifest(reader, world.pathOf(repository), digest)).toBe(true);
      await world.settlePushes();
      await until("the collection to end", async () =>
        ["succeeded", "failed"].includes((await world.registry.garbageCollection())?.state ?? ""),
      );
      expect((await pushed(repository)).digest).toMatch(/^sha256:/);
    });
  });
}
