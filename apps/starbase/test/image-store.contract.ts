import { uuid } from "@starform/std/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ImageRepository, ImageStore } from "../src/ports/registry-provider.ts";

export type ImageStoreWorld = AsyncDisposable & {
  readonly store: ImageStore;
  /** Keeps an image of that content for a build, as the builder does; equal content is equal images. */
  keep(repository: ImageRepository, content: string, buildId?: string): Promise<string>;
  /** Whether something could still run of it. */
  isThere(repository: ImageRepository, digest: string): Promise<boolean>;
};

/** What every store of a runtime promises; registries promise the same and more in a suite of their own. */
export function imageStoreContract(name: string, open: () => Promise<ImageStoreWorld>): void {
  describe(name, () => {
    let world: ImageStoreWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world[Symbol.asyncDispose]());
    const aRepository = (): ImageRepository => ({ projectId: uuid(), serviceId: uuid() });
    const digestsIn = async (repository: ImageRepository) =>
      (await world.store.images(repository)).map(({ digest }) => digest);

    test("lists what was built, with its size and time, by repository", async () => {
      const [first, second] = [aRepository(), aRepository()];
      const before = Date.now() - 2_000;
      const digest = await world.keep(first, `one ${uuid()}`);
      await world.keep(second, `two ${uuid()}`);
      const images = await world.store.images(first);
      expect(images.map((one) => one.digest)).toEqual([digest]);
      expect(images[0]!.sizeBytes).toBeGreaterThan(0);
      expect(images[0]!.storedAt.getTime()).toBeGreaterThan(before);
      expect(await world.store.repositories()).toEqual(expect.arrayContaining([first, second]));
      expect(await world.store.images(aRepository())).toEqual([]);
    });

    test("lists an image once, however many builds made it", async () => {
      const repository = aRepository();
      const content = `same ${uuid()}`;
      const digests = [await world.keep(repository, content), await world.keep(repository, content)];
      expect(digests[0]).toBe(digests[1]);
      expect(await digestsIn(repository)).toEqual([digests[0]]);
    });

    test("removes an image for one service and leaves it to another that has the same", async () => {
      const [first, second] = [aRepository(), aRepository()];
      const content = `shared ${uuid()}`;
      const digest = await world.keep(first, content);
      await world.keep(second, content);
      const other = await world.keep(first, `other ${uuid()}`);
      await world.store.remove(first, digest);
      await world.store.remove(first, digest);
      expect(await digestsIn(first)).toEqual([other]);
      expect(await digestsIn(second)).toEqual([digest]);
      expect(await world.isThere(second, digest)).toBe(true);
      await world.store.remove(second, digest);
      expect(await world.isThere(second, digest)).toBe(false);
    });

    test("has an image again that is made again", async () => {
      const repository = aRepository();
      const content = `again ${uuid()}`;
      const digest = await world.keep(repository, content);
      await world.store.remove(repository, digest);
      expect(await digestsIn(repository)).toEqual([]);
      const again = await world.keep(repository, content);
      expect(await digestsIn(repository)).toEqual([again]);
      expect(await world.isThere(repository, again)).toBe(true);
    });

    test("removes nothing else, whatever it is asked for", async () => {
      const repository = aRepository();
      const digest = await world.keep(repository, `kept ${uuid()}`);
      await world.store.remove(repository, `sha256:${"0".repeat(64)}`);
      await world.store.remove(aRepository(), digest);
      expect(await world.isThere(repository, digest)).toBe(true);
    });
  });
}
