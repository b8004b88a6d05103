import { createHmac, randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { lchown, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { canonicalJson } from "@starform/std/canonical-json";
import { diskUsage, runProgram } from "./program.ts";

/** Results of steps that another build may take instead of running them, and folders that live between builds. */
export type ProjectCache = {
  /** The tree of a step under this key, copied to `app`; false where there is none. */
  restore(key: string, app: string, signal: AbortSignal): Promise<boolean>;
  /** Keeps a copy of the tree. A second writer of the same key changes nothing. */
  save(key: string, app: string, signal: AbortSignal): Promise<void>;
  /** A folder of that name, made if need be and owned by `uid`. */
  mount(name: string, uid: number | undefined): Promise<string>;
  /** Empties the folders when they have grown past what is worth keeping. Only while no build of the project runs. */
  trim(): Promise<void>;
};

/** Of one project, all tools together. */
const mountsBytesMax = 5 * 2 ** 30;

/** Trees kept for each project: the newest ones. */
const treesMax = 6;

export function projectCache(dir: string): ProjectCache {
  const trees = path.join(dir, "steps");
  return {
    async restore(key, app, signal) {
      const saved = path.join(trees, key);
      if (!(await stat(saved).catch(() => undefined))) return false;
      await touch(saved);
      await runProgram("cp", copyArgs(`${saved}/.`, app), { signal });
      return true;
    },

    async save(key, app, signal) {
      await mkdir(trees, { recursive: true });
      const draft = path.join(trees, `.draft-${randomBytes(6).toString("hex")}`);
      await mkdir(draft);
      try {
        await runProgram("cp", copyArgs(`${app}/.`, draft), { signal });
        await touch(draft);
        await rename(draft, path.join(trees, key)).catch(() => undefined);
      } finally {
        await rm(draft, { recursive: true, force: true });
      }
      await prune(trees);
    },

    async mount(name, uid) {
      const folder = path.join(dir, "mounts", name.replaceAll(/[^\w.-]/g, "_"));
      if (await stat(folder).catch(() => undefined)) {
        await touch(folder);
        return folder;
      }
      await mkdir(folder, { recursive: true });
      if (uid !== undefined) await lchown(folder, uid, uid);
      return folder;
    },

    async trim() {
      const mounts = path.join(dir, "mounts");
      if ((await diskUsage([mounts])) > mountsBytesMax) await rm(mounts, { recursive: true, force: true });
    },
  };
}

/** What was used longest ago goes first. */
export const touch = (folder: string): Promise<void> =>
  utimes(folder, new Date(), new Date()).catch(() => undefined);

const copyArgs = (from: string, to: string): string[] =>
  process.platform === "linux" ? ["-a", "--reflink=auto", "-T", from, to] : ["-a", from, to];

async function prune(trees: string): Promise<void> {
  const names = (await readdir(trees)).filter((name) => !name.startsWith("."));
  const dated = await Promise.all(
    names.map(async (name) => ({
      name,
      usedMs: (await stat(path.join(trees, name)).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  const old = dated.sort((a, b) => b.usedMs - a.usedMs).slice(treesMax);
  await Promise.all(old.map(({ name }) => rm(path.join(trees, name), { recursive: true, force: true })));
}

/**
 * Turns what a result depends on into a key. Values of secrets are among it, so the digest is keyed with random bytes of
 * this machine: who sees the key learns nothing about them.
 */
export function cacheKeys(dir: string): (input: unknown) => string {
  const file = path.join(dir, "key");
  mkdirSync(dir, { recursive: true });
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, randomBytes(32), { mode: 0o600 });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  chmodSync(file, 0o600);
  const key = readFileSync(file);
  return (input) => createHmac("sha256", key).update(canonicalJson(input)).digest("hex");
}
