import type { BuildKit, SolveOptions } from "./client.ts";
import type { Bridge } from "./gateway.ts";
import { define, image } from "./llb.ts";
import type { SessionServices } from "./session.ts";

export type ImageFile = {
  /** A name the builder knows the image by: of its own store, or of a registry. */
  readonly reference: string;
  /** Absolute. */
  readonly path: string;
  readonly registryAuth?: SessionServices["registryAuth"];
  readonly signal?: AbortSignal;
};

/**
 * The bytes of one file of an image, read by the builder: nothing is run, and no layer comes here. Undefined where the
 * image has no such file. Rejects when the builder cannot reach the image, and, before anything is read, when the file is
 * larger than `bytesMax`.
 */
export const readImageFile = (
  client: BuildKit,
  file: ImageFile,
  bytesMax: number,
): Promise<Uint8Array | undefined> =>
  inImage(client, file, async (bridge, result) => {
    const { isFile, sizeBytes } = await bridge.statFile(result, file.path);
    if (!isFile) return undefined;
    if (sizeBytes > bytesMax)
      throw new Error(
        `${file.path} of ${file.reference} has ${sizeBytes} bytes: at most ${bytesMax} are read`,
      );
    return bridge.readFile(result, file.path);
  });

/** Whether an image has such a file, of which nothing is read. Rejects when the builder cannot reach the image. */
export const hasImageFile = async (client: BuildKit, file: ImageFile): Promise<boolean> =>
  (await inImage(client, file, (bridge, result) => bridge.statFile(result, file.path)))?.isFile ?? false;

/** Undefined where the image lacks what `look` looks at. */
async function inImage<T>(
  client: BuildKit,
  { reference, registryAuth, signal }: ImageFile,
  look: (bridge: Bridge, result: string) => Promise<T>,
): Promise<T | undefined> {
  let found: T | undefined;
  const options: SolveOptions = { ...(signal && { signal }) };
  await client.solve(
    {
      source: {
        async run(bridge) {
          const result = await bridge.solve(define(image(reference)));
          found = await look(bridge, result).catch((error: unknown) => {
            if (/no such file|not exist/i.test(String(error))) return undefined;
            throw error;
          });
          return {};
        },
      },
      services: { sharedKey: "read-image-file", ...(registryAuth && { registryAuth }) },
    },
    options,
  );
  return found;
}
