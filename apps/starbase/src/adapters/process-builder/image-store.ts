import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { canonicalJson } from "@starform/std/canonical-json";
import { createHash } from "node:crypto";
import { imageClaims } from "./image-claims.ts";
import { runProgram } from "./program.ts";
import { digestTree, type KnownTrees } from "./tree-digest.ts";

/** What stands in an image's config.json. */
export type ImageConfig = {
  readonly cmd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: "/app";
  readonly paths: readonly string[];
  readonly ports: readonly number[];
  readonly plan: { readonly provider: string; readonly versions: Readonly<Record<string, string>> };
};

/** What a build laid out: how the image starts, and which trees in it came whole from elsewhere. */
export type LaidOut = { readonly config: ImageConfig; readonly known: KnownTrees };

export type BuiltImage = { readonly image: string; readonly imageDigest: string; readonly sizeBytes: number };

/** Whose build it is; part of the image's name. */
export type BuildOwner = { readonly buildId: string; readonly projectId: string; readonly serviceId: string };

export type ImageStore = {
  /** An empty folder that becomes the image by `commit`; what an earlier try left there is gone. */
  stage(buildId: string): Promise<string>;
  /** Names the staged `app` by its content and keeps it for ever. Afterwards, and only then, `recordOf` answers. */
  commit(
    owner: BuildOwner,
    staged: string,
    laidOut: LaidOut,
    sourceKey: string,
    signal: AbortSignal,
  ): Promise<BuiltImage>;
  /** The image an earlier build made of the very same input, now that build's and this one's. */
  reuse(owner: BuildOwner, sourceKey: string): Promise<{ built: BuiltImage; buildId: string } | undefined>;
  /** Takes away what a build staged and did not finish. */
  discard(buildId: string): Promise<void>;
  recordOf(buildId: string): Promise<BuiltImage | undefined>;
};

/** Images as folders below `dir`: `sha256/<hex>/{config.json,app/}`, and beside them who made and who needs them. */
export function imageStore(dir: string): ImageStore {
  const claims = imageClaims(dir);
  const { imageDir, claim } = claims;
  const recordFile = (buildId: string) => path.join(dir, "builds", `${buildId}.json`);
  const sourceFile = (serviceId: string, key: string) =>
    path.join(dir, "by-source", serviceId, `${key}.json`);

  const built = ({ projectId, serviceId }: BuildOwner, hex: string, sizeBytes: number): BuiltImage => ({
    image: `starform.local/${projectId}/${serviceId}@sha256:${hex}`,
    imageDigest: `sha256:${hex}`,
    sizeBytes,
  });

  /** Gives what was staged its name. The record is written before, so that a process killed here is followed by this again. */
  const settle = async (staged: string, hex: string) => {
    await mkdir(path.join(dir, "sha256"), { recursive: true });
    if (await exists(imageDir(hex))) return rm(staged, { recursive: true, force: true });
    if (await exists(path.join(staged, "config.json"))) await rename(staged, imageDir(hex));
  };

  return {
    async stage(buildId) {
      const staged = path.join(dir, "staging", buildId);
      await rm(staged, { recursive: true, force: true });
      await mkdir(path.join(staged, "app"), { recursive: true });
      return staged;
    },

    async commit(owner, staged, { config, known }, sourceKey, signal) {
      if (process.getuid?.() === 0) await runProgram("chown", ["-R", "-h", "0:0", staged], { signal });
      const tree = await digestTree(path.join(staged, "app"), { publish: true, known, signal });
      const text = `${JSON.stringify(config, undefined, 2)}\n`;
      await writeFile(path.join(staged, "config.json"), text, { mode: 0o644 });
      const hex = createHash("sha256")
        .update(`${canonicalJson(config)}\n${tree.hex}\n`)
        .digest("hex");
      const result = built(owner, hex, tree.sizeBytes);
      signal.throwIfAborted();
      await claim(owner, hex, tree.sizeBytes);
      await writeWhole(recordFile(owner.buildId), result);
      await settle(staged, hex);
      // Waiting for the disk would cost seconds on a busy machine; losing power before it is done costs one deployment.
      if (process.platform === "linux") void runProgram("sync", ["-f", imageDir(hex)]).catch(() => undefined);
      await writeWhole(sourceFile(owner.serviceId, sourceKey), {
        hex,
        sizeBytes: tree.sizeBytes,
        buildId: owner.buildId,
      });
      return result;
    },

    async reuse(owner, sourceKey) {
      const known = await readWhole<{ hex: string; sizeBytes: number; buildId: string }>(
        sourceFile(owner.serviceId, sourceKey),
      );
      if (!known) return undefined;
      await claim(owner, known.hex, known.sizeBytes);
      if (!(await exists(imageDir(known.hex)))) return undefined;
      const result = built(owner, known.hex, known.sizeBytes);
      await writeWhole(recordFile(owner.buildId), result);
      return { built: result, buildId: known.buildId };
    },

    discard: (buildId) => rm(path.join(dir, "staging", buildId), { recursive: true, force: true }),

    async recordOf(buildId) {
      const record = await readWhole<BuiltImage>(recordFile(buildId));
      if (!record) return undefined;
      const hex = record.imageDigest.slice("sha256:".length);
      await settle(path.join(dir, "staging", buildId), hex);
      return (await exists(imageDir(hex))) ? record : undefined;
    },
  };
}

const exists = async (file: string): Promise<boolean> =>
  (await stat(file).catch(() => undefined)) !== undefined;

/** Seen whole or not at all, even if the machine stops in between. */
async function writeWhole(file: string, value: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(draft, JSON.stringify(value));
  await rename(draft, file);
}

async function readWhole<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
