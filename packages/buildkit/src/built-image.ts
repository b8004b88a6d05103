import type { BuildKit, Exporter, SolveResult } from "./client.ts";
import { dockerEngine } from "./engine.ts";
import type { BuildEvent } from "./progress.ts";

export type BuiltImage = {
  /** `sha256:…` of the image's config, by which a Docker Engine knows it. */
  readonly imageId: string;
  /** `sha256:…` of its manifest; on an engine that keeps none, the same as imageId. */
  readonly digest: string;
  readonly sizeBytes?: number;
};

/** What every build takes beside what it builds. */
export type BuildOptions = {
  /** Names for the image; the first also names it in messages. */
  readonly tags: readonly string[];
  /** Send the image to the registry of its tags. Needs a builder with the `image` exporter. */
  readonly push?: boolean;
  /** Run every step anew. */
  readonly noCache?: boolean;
  readonly registryAuth?: Readonly<Record<string, { username: string; password: string }>>;
  readonly signal?: AbortSignal;
  readonly onLog?: (event: BuildEvent) => void;
};

/** A Docker Engine's builder can only export into the engine's own store; its worker is called "moby". */
export async function exporterFor(client: BuildKit, { tags, push = false }: BuildOptions): Promise<Exporter> {
  const isEngine = (await client.workers()).some(({ id }) => id === "moby");
  const name = tags.length > 0 ? { name: tags.join(",") } : {};
  if (isEngine) return { type: "moby", attrs: name };
  return { type: "image", attrs: { ...name, ...(push && { push: "true" }), unpack: "false" } };
}

/** The image a solve answered with, its size asked of the engine where there is one. */
export async function builtImage(client: BuildKit, { exporterResponse }: SolveResult): Promise<BuiltImage> {
  const digest = exporterResponse["containerimage.digest"] ?? "";
  const imageId = exporterResponse["containerimage.config.digest"] ?? digest;
  const socket = client.transport.engineSocket;
  const stored = socket === undefined ? undefined : await dockerEngine(socket).image(digest);
  return { imageId: stored?.id ?? imageId, digest, ...(stored && { sizeBytes: stored.sizeBytes }) };
}
