import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uuid } from "@starform/std/ids";
import { expect, test } from "vitest";
import { folderImageStore } from "../src/adapters/process-builder/folder-image-store.ts";
import { imageStore } from "../src/adapters/process-builder/image-store.ts";
import type { ImageRepository } from "../src/ports/registry-provider.ts";
import { imageStoreContract } from "./image-store.contract.ts";

const config = {
  cmd: "true",
  env: {},
  workdir: "/app",
  paths: [],
  ports: [],
  plan: { provider: "shell", versions: {} },
} as const;

async function openFolder() {
  const dir = await mkdtemp(join(tmpdir(), "starform-images-"));
  const builder = imageStore(dir);
  const folderOf = (digest: string) => join(dir, "sha256", digest.slice("sha256:".length));
  return {
    dir,
    builder,
    folderOf,
    store: folderImageStore(dir),
    async keep(repository: ImageRepository, content: string, buildId = uuid()): Promise<string> {
      const staged = await builder.stage(buildId);
      await writeFile(join(staged, "app", "content"), content);
      const owner = { ...repository, buildId };
      const signal = new AbortController().signal;
      return (await builder.commit(owner, staged, { config, known: new Map() }, buildId, signal)).imageDigest;
    },
    isThere: async (_: ImageRepository, digest: string) =>
      existsSync(join(folderOf(digest), "app", "content")),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

imageStoreContract("the folders of the process runtime", openFolder);

const aRepository = () => ({ projectId: uuid(), serviceId: uuid() });

test("counts the files of images whose claims say nothing of their size", async () => {
  await using folder = await openFolder();
  const owner = aRepository();
  const digest = await folder.keep(owner, "x".repeat(1_000));
  const claim = join(folder.dir, "claims", digest.slice(7), `${owner.projectId}.${owner.serviceId}`);
  await writeFile(claim, "");
  expect((await folder.store.images(owner))[0]!.sizeBytes).toBeGreaterThan(1_000);
});

test("puts back what a killed process had set aside and somebody claims, and clears the rest", async () => {
  await using folder = await openFolder();
  const owner = aRepository();
  const [kept, gone] = [await folder.keep(owner, "kept"), await folder.keep(aRepository(), "gone")];
  await mkdir(join(folder.dir, "trash"));
  for (const digest of [kept, gone])
    await rename(folder.folderOf(digest), join(folder.dir, "trash", `${digest.slice(7)}.1.1`));
  await rm(join(folder.dir, "claims", gone.slice(7)), { recursive: true });
  await folder.store.repositories();
  expect(await folder.isThere(owner, kept)).toBe(true);
  expect(await readdir(join(folder.dir, "trash"))).toEqual([]);
});

test("a build that makes an image while another service's last claim goes has it in the end", async () => {
  await using folder = await openFolder();
  for (let round = 0; round < 20; round++) {
    const [first, second] = [aRepository(), aRepository()];
    const digest = await folder.keep(first, `round ${round}`);
    await Promise.all([folder.store.remove(first, digest), folder.keep(second, `round ${round}`)]);
    expect(await folder.isThere(second, digest)).toBe(true);
    expect((await folder.store.images(second)).map((image) => image.digest)).toEqual([digest]);
  }
});
