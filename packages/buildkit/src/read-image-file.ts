import type { BuildKit, SolveOptions } from "./client.ts";
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
 * image has no such file. Rejects when the builder cannot reach the image.
 */
export async function readImageFile(client: BuildKit, file: ImageFile): Promise<Uint8Array | undefined> {
  let found: Uint8Array | undefined;
  const options: SolveOptions = { ...(file.signal && { signal: file.signal }) };
  await client.solve(
    {
      source: {
        async run(bridge) {
          const result = await bridge.solve(define(image(file.reference)));
          found = await bridge.readFile(result, file.path).catch((error: unknown) => {
            if (/no such file|not exist/i.test(String(error))) return undefined;
            throw error;
          });
          return {};
        },
      },
      services: {
        sharedKey: "read-image-file",
        ...(file.registryAuth && { registryAuth: file.registryAuth }),
      },
    },
    options,
  );
  return found;
}
