import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, type FileHandle, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { sourceLimits, type SourceLimits } from "@starform/contract/source-limits";
import { Fault, isFault } from "@starform/std/fault";
import { malformed } from "./read-tar.ts";
import { inspect, unpack } from "./unpack.ts";

export type Uploads = {
  save(serviceId: string, body: AsyncIterable<Uint8Array>): Promise<{ sourceId: string; sizeBytes: number }>;
  has(serviceId: string, sourceId: string): Promise<boolean>;
  checkOut(serviceId: string, sourceId: string, dir: string, signal: AbortSignal): Promise<void>;
};

type Draft = Pick<FileHandle, "write" | "sync" | "close">;

/** Uploaded folders, each a gzipped tar named by the digest of its bytes, below `dir/<service>`. */
export function uploads(
  dir: string,
  limits: SourceLimits = sourceLimits,
  openFile: (path: string, flags: string, mode: number) => Promise<Draft> = open,
): Uploads {
  const fileOf = (serviceId: string, sourceId: string) => path.join(dir, serviceId, `${sourceId}.tgz`);

  return {
    async save(serviceId, body) {
      await mkdir(path.join(dir, serviceId), { recursive: true });
      const draft = path.join(dir, serviceId, `.draft-${randomBytes(8).toString("hex")}`);
      const out = await openFile(draft, "wx", 0o600);
      const hash = createHash("sha256");
      let sizeBytes = 0;
      const kept = async function* () {
        for await (const chunk of body) {
          sizeBytes += chunk.length;
          if (sizeBytes > limits.packedBytesMax)
            throw new Fault(
              "too_large",
              `the source is larger than ${limits.packedBytesMax / 2 ** 20} MiB, packed: leave out what the build does not need with .starformignore or .gitignore`,
            );
          hash.update(chunk);
          await out.write(chunk);
          yield chunk;
        }
      };
      try {
        await throughGunzip(kept(), (unpacked) => inspect(unpacked, limits));
        await out.sync();
        await out.close();
        const sourceId = hash.digest("hex");
        await rename(draft, fileOf(serviceId, sourceId));
        return { sourceId, sizeBytes };
      } catch (error) {
        await out.close().catch(() => undefined);
        await rm(draft, { force: true });
        throw error;
      }
    },

    async has(serviceId, sourceId) {
      return isId(sourceId) && (await stat(fileOf(serviceId, sourceId)).catch(() => undefined)) !== undefined;
    },

    async checkOut(serviceId, sourceId, into, signal) {
      if (!(await this.has(serviceId, sourceId)))
        throw new Fault(
          "invalid",
          "the uploaded source of this deployment is not there any more: send the folder again with starform up",
        );
      await throughGunzip(createReadStream(fileOf(serviceId, sourceId), { signal }), (unpacked) =>
        unpack(unpacked, into, limits),
      );
    },
  };
}

const isId = (sourceId: string): boolean => /^[0-9a-f]{64}$/.test(sourceId);

/** Hands the unpacked bytes on; what is wrong with the packing is told as such. */
async function throughGunzip(
  packed: AsyncIterable<Uint8Array>,
  take: (unpacked: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  let taking: Promise<void> | undefined;
  const source = packed instanceof Readable ? packed : Readable.from(packed, { objectMode: false });
  try {
    await pipeline(source, createGunzip(), (unpacked) => (taking = take(unpacked)));
  } catch (error) {
    // The reader's own words are worth more than the broken pipe that its end caused.
    const reason = await taking?.then(
      () => error,
      (own: unknown) => own,
    );
    const first = isFault(error) ? error : (reason ?? error);
    if (!isFault(first) && isZlibError(first)) throw malformed("it is not gzipped, or cut off");
    throw first;
  }
}

const isZlibError = (error: unknown): boolean =>
  ((error as NodeJS.ErrnoException).code ?? "").startsWith("Z_");
