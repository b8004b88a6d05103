import { mkdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { WorkDirs } from "../../core/builds/work-dirs.ts";

/** Folders below `dir`, readable by this user only: two services never see each other's source. */
export const folderWorkDirs = (dir: string): WorkDirs => ({
  async open(buildId) {
    const own = path.join(dir, buildId);
    await rm(own, { recursive: true, force: true });
    await mkdir(own, { recursive: true, mode: 0o700 });
    return {
      path: own,
      has: async (file) => (await stat(path.join(own, file)).catch(() => undefined)) !== undefined,
      [Symbol.asyncDispose]: () => rm(own, { recursive: true, force: true }),
    };
  },
});
