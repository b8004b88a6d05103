import { unlessAborted } from "./unless-aborted.ts";
import type { BuildKit, Exporter, SolveOptions, SolveResult } from "./client.ts";
import { dockerEngine, type Engine } from "./engine.ts";
import type { SentFiles } from "./file-sync.ts";
import type { Hosts } from "./llb.ts";
import type { BuildEvent } from "./progress.ts";
import type { RegistryAuth } from "./registry-sign-in.ts";

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
  /**
   * Send the image to the registry of its tags: the builder does where it can (its `image` exporter), else the Docker
   * Engine that it belongs to, with the credentials in `registryAuth`.
   */
  readonly push?: boolean;
  /** The registry speaks plain HTTP, or shows a certificate that nobody signed. An engine goes by its own settings. */
  readonly insecureRegistry?: boolean;
  /** Of the image's config. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Run every step anew. */
  readonly noCache?: boolean;
  /**
   * Addresses by name, for the `/etc/hosts` of every step; builds that differ in the addresses alone share their cache.
   * A frontend image has no way to be told.
   */
  readonly hosts?: Hosts;
  /**
   * Told every image that the build uses, whoever names it, with its registry: `docker.io/library/node:24@sha256:…`.
   * Nothing has run by then, and what it throws ends the build.
   */
  readonly onImages?: (images: readonly string[]) => void;
  readonly registryAuth?: RegistryAuth;
  readonly signal?: AbortSignal;
  readonly onLog?: (event: BuildEvent) => void;
  /** What of the source was sent, once it was; a builder that still has all of it asks for nothing. */
  readonly onSent?: (sent: Readonly<SentFiles>) => void;
};

/**
 * Where the image goes. A Docker Engine keeps what its own `moby` exporter makes, whatever its store; asking for
 * another one there would leave an image that the engine cannot run. Everything else is asked of the builder.
 */
export async function exporterFor(client: BuildKit, build: BuildOptions): Promise<Exporter> {
  const { tags, push = false, insecureRegistry = false, signal } = build;
  const name = tags.length > 0 ? { name: tags.join(",") } : {};
  const isEngine = client.transport.engineSocket !== undefined;
  if (isEngine && !push) return { type: "moby", attrs: name };
  if (await unlessAborted(client.hasExporter("image"), signal)) {
    const pushed = push && { push: "true", ...(insecureRegistry && { "registry.insecure": "true" }) };
    return { type: "image", attrs: { ...name, ...pushed, unpack: "false" } };
  }
  if (push && !isEngine)
    throw new Error(
      `${client.transport.name} cannot push images: it has no "image" exporter, and its Docker Engine is not known`,
    );
  return { type: "moby", attrs: name };
}

/** How a build is followed, and what is left of it taken away when it is aborted: an engine exports to the end. */
export const solveOptions = (
  { transport: { engineSocket } }: BuildKit,
  { signal, onLog, push, tags }: BuildOptions,
): SolveOptions => ({
  ...(signal && { signal }),
  ...(onLog && { onProgress: onLog }),
  ...(engineSocket !== undefined &&
    !push && {
      async undo() {
        for (const tag of tags) await dockerEngine(engineSocket).removeName(tag);
      },
    }),
});

/** The image a solve answered with, pushed by the engine where the builder could not; its size as an engine says it. */
export async function builtImage(
  client: BuildKit,
  build: BuildOptions,
  exporter: Exporter,
  { exporterResponse }: SolveResult,
): Promise<BuiltImage> {
  const digest = exporterResponse["containerimage.digest"] ?? "";
  const imageId = exporterResponse["containerimage.config.digest"] ?? digest;
  const socket = client.transport.engineSocket;
  if (socket === undefined || exporter.type !== "moby") return { imageId, digest };
  const engine = dockerEngine(socket);
  const stored = await engine.image(digest);
  const image = { imageId: stored?.id ?? imageId, ...(stored && { sizeBytes: stored.sizeBytes }) };
  if (!build.push) return { ...image, digest };
  let pushed = "";
  for (const tag of build.tags) pushed = await pushWith(engine, tag, build);
  return { ...image, digest: pushed };
}

async function pushWith(
  engine: Engine,
  tag: string,
  { registryAuth = {}, signal }: BuildOptions,
): Promise<string> {
  const host = tag.slice(0, tag.indexOf("/"));
  const { username, password } = registryAuth[host] ?? {};
  return engine.push(tag, {
    ...(username !== undefined && password !== undefined && { auth: { host, username, password } }),
    ...(signal && { signal }),
  });
}
