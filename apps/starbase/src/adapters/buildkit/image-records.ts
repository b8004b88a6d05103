import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Engine } from "@starform/buildkit/engine";
import type { EngineImage } from "./build-in-engine.ts";

/** Which image a build made, for a process that did not run it. */
export type ImageRecords = {
  keep(buildId: string, image: EngineImage): Promise<void>;
  /** Undefined when the build left no record, or the engine no longer has its image. */
  of(buildId: string): Promise<EngineImage | undefined>;
};

export const imageRecords = (dir: string, engine: Pick<Engine, "image">): ImageRecords => ({
  async keep(buildId, image) {
    await mkdir(dir, { recursive: true });
    const draft = path.join(dir, `${buildId}.${process.pid}.draft`);
    await writeFile(draft, JSON.stringify(image), { flush: true });
    await rename(draft, path.join(dir, `${buildId}.json`));
  },

  async of(buildId) {
    const text = await readFile(path.join(dir, `${buildId}.json`), "utf8").catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      },
    );
    if (text === undefined) return undefined;
    const record = JSON.parse(text) as EngineImage;
    return (await engine.image(record.imageDigest)) ? record : undefined;
  },
});
