import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Rows that go to the store together; the token makes a repeat of the insert harmless. */
export type Batch = {
  readonly name: string;
  readonly token: string;
  readonly rows: string;
  readonly lines: number;
};

/** Rows on disk, oldest first, kept over restarts. */
export interface DiskBuffer {
  /** Resolves when the rows are in a file; rejects, having kept nothing, when they are over the budget or the disk fails. */
  add(batch: Batch, options?: { mayExceedBudget?: boolean }): Promise<void>;
  /** The oldest rows; undefined when there are none. */
  oldest(): Promise<Batch | undefined>;
  remove(name: string): Promise<void>;
  readonly isEmpty: boolean;
}

/** Names sort by age: the time, then a number that grows. The token is part of the name, so a restart repeats it. */
export function batchNames(now: () => number): () => { name: string; token: string } {
  let count = 0;
  return () => {
    count += 1;
    const token = crypto.randomUUID();
    return {
      name: `${String(now()).padStart(15, "0")}-${String(count).padStart(9, "0")}-${token}.ndjson`,
      token,
    };
  };
}

export async function openDiskBuffer(dir: string, bytesMax: number): Promise<DiskBuffer> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const names = (await readdir(dir)).sort();
  // A file without its final name was being written when the process died; its rows were never acknowledged to anyone.
  for (const name of names.filter((name) => name.endsWith(".part")))
    await rm(join(dir, name), { force: true });
  const files = new Map<string, number>();
  for (const name of names.filter((name) => name.endsWith(".ndjson")))
    files.set(name, (await stat(join(dir, name))).size);
  let bytes = [...files.values()].reduce((sum, size) => sum + size, 0);

  const remove = async (name: string): Promise<void> => {
    bytes -= files.get(name) ?? 0;
    files.delete(name);
    await rm(join(dir, name), { force: true }).catch(() => undefined);
  };

  return {
    async add({ name, rows }, { mayExceedBudget = false } = {}) {
      const size = Buffer.byteLength(rows);
      if (!mayExceedBudget && bytes + size > bytesMax)
        throw new Error(`the buffer on disk is full (${bytesMax >> 20} MiB)`);
      const part = join(dir, `${name}.part`);
      try {
        await writeFile(part, rows, { mode: 0o600 });
        await rename(part, join(dir, name));
      } catch (error) {
        await rm(part, { force: true }).catch(() => undefined);
        throw new Error(
          `the buffer on disk cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
          { cause: error },
        );
      }
      files.set(name, size);
      bytes += size;
    },
    async oldest() {
      for (;;) {
        const name = oldestName(files.keys());
        if (name === undefined) return undefined;
        const rows = await readFile(join(dir, name), "utf8").catch(() => "");
        if (rows !== "")
          return { name, token: name.split("-").slice(2).join("-").replace(".ndjson", ""), rows, lines: 0 };
        await remove(name);
      }
    },
    remove,
    get isEmpty() {
      return files.size === 0;
    },
  };
}

/** In the place of a directory that cannot be used: keeps nothing, and says so to whoever tries. */
export const noDiskBuffer = (why: string): DiskBuffer => ({
  add: () => Promise.reject(new Error(`the buffer on disk cannot be used (${why})`)),
  oldest: () => Promise.resolve(undefined),
  remove: () => Promise.resolve(),
  isEmpty: true,
});

function oldestName(names: Iterable<string>): string | undefined {
  let oldest: string | undefined;
  for (const name of names) if (oldest === undefined || name < oldest) oldest = name;
  return oldest;
}
