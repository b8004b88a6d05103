import { execFile } from "node:child_process";
import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

/** `config.json` of an image of the process runtime. */
const ImageConfig = z.object({
  cmd: z.string().nullish(),
  env: z.record(z.string(), z.string()).default({}),
  workdir: z.string().default("/app"),
  paths: z.array(z.string()).default([]),
});
export type ProcessImage = z.infer<typeof ImageConfig> & { readonly tree: string };

/** Images as the builder lays them down: `sha256/<hex>/{config.json,app/}`. */
export function imageStore(imagesDir: string) {
  const dirOf = (image: string): string | undefined => {
    const hex = /@sha256:([0-9a-f]{64})$/.exec(image)?.[1];
    return hex === undefined ? undefined : join(imagesDir, "sha256", hex);
  };
  return {
    async find(image: string): Promise<ProcessImage | undefined> {
      const dir = dirOf(image);
      const text = dir && (await readFile(join(dir, "config.json"), "utf8").catch(() => undefined));
      return dir && text ? { ...ImageConfig.parse(JSON.parse(text)), tree: join(dir, "app") } : undefined;
    },
    /**
     * Lets any user write into copies of the tree: the app runs as a user of its own over a private layer, and must be
     * able to make files beside its own. Nobody sees the tree itself. What package managers own stays as it is.
     */
    async open(image: string): Promise<void> {
      const dir = dirOf(image);
      if (!dir) return;
      const mark = join(dir, "opened");
      if (
        await access(mark).then(
          () => true,
          () => false,
        )
      )
        return;
      const deep = ["node_modules", ".venv"].flatMap((name, at) => [...(at ? ["-o"] : []), "-name", name]);
      await run("find", [
        join(dir, "app"),
        "(",
        ...deep,
        ")",
        "-prune",
        "-exec",
        "chmod",
        "a+rwx",
        "{}",
        "+",
        "-o",
        "-type",
        "d",
        "-exec",
        "chmod",
        "a+rwx",
        "{}",
        "+",
        "-o",
        "-type",
        "f",
        "-exec",
        "chmod",
        "a+rwX",
        "{}",
        "+",
      ]);
      await writeFile(mark, "");
    },
  };
}
export type ImageStore = ReturnType<typeof imageStore>;
