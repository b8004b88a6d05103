import { lstat, mkdir, readFile, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { repositoryAt } from "../../core/images/image-name.ts";
import type { ImageRepository } from "../../ports/registry-provider.ts";

export type Claim = { readonly hex: string; readonly sizeBytes: number; readonly claimedAt: Date };

/**
 * Who needs which image folder: a file `claims/<hex>/<project id>.<service id>`. Equal images of several services are
 * one folder, which goes with its last claim.
 */
export function imageClaims(dir: string) {
  const imageDir = (hex: string) => path.join(dir, "sha256", hex);
  const claimsDir = (hex: string) => path.join(dir, "claims", hex);
  const trashDir = path.join(dir, "trash");
  const fileOf = ({ projectId, serviceId }: ImageRepository, hex: string) =>
    path.join(claimsDir(hex), `${projectId}.${serviceId}`);

  /** What a process that was killed had set aside: back it goes if somebody claims it, else away. */
  const clearTrash = async (): Promise<void> => {
    for (const name of await namesIn(trashDir)) await settleTrash(name);
  };
  const settleTrash = async (name: string): Promise<void> => {
    const hex = name.split(".")[0]!;
    const aside = path.join(trashDir, name);
    const isClaimed = (await namesIn(claimsDir(hex))).length > 0;
    // Somebody may have made it anew meanwhile; then this one is not needed.
    if (isClaimed && (await rename(aside, imageDir(hex)).then(yes, no))) return;
    await rm(aside, { recursive: true, force: true });
  };

  return {
    imageDir,
    /** Comes before the folder is looked for, so that nobody takes it away in between. */
    async claim(owner: ImageRepository, hex: string, sizeBytes: number): Promise<void> {
      const write = async () => {
        await mkdir(claimsDir(hex), { recursive: true });
        await writeFile(fileOf(owner, hex), JSON.stringify({ sizeBytes }));
      };
      // The last claim of another may take the folder of claims along in between.
      await write().catch((error: unknown) => (absent(error as NodeJS.ErrnoException), write()));
    },

    async repositories(): Promise<ImageRepository[]> {
      await clearTrash();
      const claims = await Promise.all(
        (await namesIn(path.join(dir, "claims"))).map((hex) => namesIn(claimsDir(hex))),
      );
      return [...new Set(claims.flat())].flatMap((name) => repositoryAt(name.replace(".", "/")) ?? []);
    },

    async of(owner: ImageRepository): Promise<Claim[]> {
      const hexes = await namesIn(path.join(dir, "claims"));
      const found = await Promise.all(
        hexes.map(async (hex): Promise<Claim[]> => {
          const claimed = await stat(fileOf(owner, hex)).catch(absent);
          if (!claimed || !(await stat(imageDir(hex)).catch(absent))) return [];
          const text = await readFile(fileOf(owner, hex), "utf8");
          // Claims of before say nothing of the size.
          const sizeBytes =
            text === ""
              ? await bytesBelow(imageDir(hex))
              : (JSON.parse(text) as { sizeBytes: number }).sizeBytes;
          return [{ hex, sizeBytes, claimedAt: claimed.mtime }];
        }),
      );
      return found.flat();
    },

    /**
     * Gives up the claim, and the folder with the last one. It is set aside in one step and looked at again: a build
     * that claimed it in the same moment finds it back in its place.
     */
    async release(owner: ImageRepository, hex: string): Promise<void> {
      await rm(fileOf(owner, hex), { force: true });
      if ((await namesIn(claimsDir(hex))).length > 0) return;
      await mkdir(trashDir, { recursive: true });
      const name = `${hex}.${process.pid}.${Date.now()}`;
      if (!(await rename(imageDir(hex), path.join(trashDir, name)).then(yes, no))) return;
      await settleTrash(name);
      // Refuses while it holds a claim.
      await rmdir(claimsDir(hex)).catch(no);
    },
  };
}

async function bytesBelow(root: string): Promise<number> {
  const names = await readdir(root, { recursive: true });
  const sizes = await Promise.all(
    names.map((name) =>
      lstat(path.join(root, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const namesIn = async (dir: string): Promise<string[]> => (await readdir(dir).catch(absent)) ?? [];
const yes = (): boolean => true;
const no = (): boolean => false;

const absent = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
};
