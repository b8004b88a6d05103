import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { GatewayRoutes } from "@starform/contract/gateway";
import { wordsOf } from "@starform/std/fault";

export type StateFile = {
  /** The last table that was live, or undefined: without a file, and (told to `onError`, the file set aside) with a broken one. */
  load(): Promise<GatewayRoutes | undefined>;
  /** Writes the table so that a crash leaves the old one or the new one. Resolves to whether it is on the disk. */
  save(routes: GatewayRoutes): Promise<boolean>;
};

/** Keeps the live table on disk, so that routes stay while Shuttle is away. Saves run one after the other. */
export function stateFile(path: string, onError: (message: string) => void): StateFile {
  let last: Promise<unknown> = Promise.resolve();

  let stored = "";

  const write = async (routes: GatewayRoutes): Promise<void> => {
    const text = `${JSON.stringify(routes)}\n`;
    if (text === stored) return; // Shuttle repeats its table: the disk need not hear it twice.
    await mkdir(dirname(path), { recursive: true });
    const draft = `${path}.draft`;
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    stored = text;
  };

  return {
    async load() {
      try {
        return GatewayRoutes.parse(JSON.parse(await readFile(path, "utf8")));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        await rename(path, `${path}.broken`).catch(() => undefined);
        onError(
          `the stored routes in ${path} cannot be read and were set aside; Shuttle will send them again: ${wordsOf(error)}`,
        );
        return undefined;
      }
    },

    save(routes) {
      const saved = last
        .then(() => write(routes))
        .then(
          () => true,
          (error: unknown) => {
            onError(`the routes are live but could not be stored in ${path}: ${wordsOf(error)}`);
            return false;
          },
        );
      last = saved;
      return saved;
    },
  };
}
