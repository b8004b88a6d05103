import { readFile, stat } from "node:fs/promises";
import { BuildFailed } from "@starform/buildkit/build-failed";
import { imagesOfDockerfile } from "@starform/buildkit/dockerfile-images";
import { sayBytes } from "../process-builder/build-limits.ts";

/** What an engine's own store calls the images that were built in it. */
export const enginePrefix = "starform.local";

const dockerfileBytesMax = 2 ** 20;

/**
 * Refuses to build on an image of another project: the engine has them all in its store, and a registry's sign-in may
 * open them all. `prefixes` is what the names begin with below which each project has its own.
 */
export function refuseForeignImages(
  images: readonly string[],
  projectId: string,
  prefixes: readonly string[],
): void {
  for (const image of images) {
    const prefix = prefixes.find((one) => image.toLowerCase().startsWith(`${one.toLowerCase()}/`));
    if (prefix !== undefined && !image.startsWith(`${prefix}/${projectId}/`))
      throw new BuildFailed(
        `the build is to start from ${asWritten(image)}, and this project has no such image: its own begin with ${prefix}/${projectId}/`,
      );
  }
}

/** Without the digest that a builder found behind the tag. */
const asWritten = (image: string): string => image.replace(/(:[^/:@]+)@.*$/, "$1");

/** What a Dockerfile names; nothing where there is none, which its builder says better. */
export async function imagesOfFile(
  path: string,
  buildArgs: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const { size = 0 } = (await stat(path).catch(() => undefined)) ?? {};
  if (size > dockerfileBytesMax)
    throw new BuildFailed(
      `the Dockerfile is larger than ${sayBytes(dockerfileBytesMax)}: copy what it holds from files of the source`,
    );
  const { names, unreadable } = imagesOfDockerfile(await readFile(path, "utf8").catch(() => ""), buildArgs);
  if (unreadable.length > 0)
    throw new BuildFailed(
      `it cannot be told which image ${unreadable[0]} in the Dockerfile is: write its name out, or use no more than \${NAME}, \${NAME:-default} and \${NAME:+other}`,
    );
  return names;
}
