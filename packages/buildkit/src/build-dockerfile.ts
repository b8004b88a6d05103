import { createHash } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { BuildFailed } from "./build-failed.ts";
import { builtImage, exporterFor, solveOptions, type BuildOptions, type BuiltImage } from "./built-image.ts";
import type { BuildKit } from "./client.ts";
import type { Hosts } from "./llb.ts";
import { lookAtGraph } from "./look-at-graph.ts";
import { isUnreachable, replaceImages, type StandIn } from "./stand-in.ts";

export type DockerfileBuild = BuildOptions & {
  readonly contextDir: string;
  /** Absolute, or from the context's folder. */
  readonly dockerfilePath: string;
  /** Never sent, in the syntax of .dockerignore, on top of the context's own .dockerignore. */
  readonly ignore?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** For `RUN --mount=type=secret,id=NAME`. Never in a layer, the history or the log. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly target?: string;
  /** Asked when an image's registry cannot be reached: the build is tried once more with its answers, and the log says so. */
  readonly standIn?: StandIn;
  /** Builds of one namespace share their cache mounts and transferred files, and none with others. Default: the context's folder. */
  readonly cacheNamespace?: string;
};

/**
 * Builds a Dockerfile with the builder's own frontend. A `# syntax=` line is not followed: it would fetch a
 * frontend from a registry. Rejects with BuildFailed when the Dockerfile or a step is at fault.
 */
export async function buildDockerfile(client: BuildKit, build: DockerfileBuild): Promise<BuiltImage> {
  const dockerfile = resolve(build.contextDir, build.dockerfilePath);
  const text = await readFile(dockerfile, "utf8").catch((cause: unknown) => {
    const name = relative(build.contextDir, dockerfile);
    throw new BuildFailed(`there is no ${name} in the source: add it, or name another Dockerfile`, { cause });
  });
  try {
    return await solve(client, build, dockerfile);
  } catch (error) {
    if (!build.standIn || !(error instanceof BuildFailed) || !isUnreachable(error)) throw error;
    const { text: changed, replaced } = replaceImages(text, build.standIn);
    if (replaced.length === 0) throw error;
    for (const { from, to } of replaced)
      statusLine(build, `${from} cannot be fetched from here; ${to} stands in for it`);
    return await withDockerfile(dockerfile, changed, (path) => solve(client, build, path));
  }
}

/** The changed text beside a copy of its own ignore file, gone afterwards. */
async function withDockerfile<T>(
  original: string,
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), "starform-dockerfile-"));
  try {
    const path = join(dir, basename(original));
    await writeFile(path, text);
    await copyFile(`${original}.dockerignore`, `${path}.dockerignore`).catch(() => undefined);
    return await use(path);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function solve(client: BuildKit, build: DockerfileBuild, dockerfile: string): Promise<BuiltImage> {
  const exporter = await exporterFor(client, build);
  const result = await client.solve(
    {
      source: {
        async run(bridge) {
          const graph = await bridge.graphBy("dockerfile.v0", attrsOf(build, basename(dockerfile)));
          for (const definition of graph.definitions) lookAtGraph(build, definition);
          return graph;
        },
      },
      exporter,
      services: {
        sharedKey: `${namespaceOf(build)}/dockerfile`,
        secrets: build.secrets ?? {},
        ...(build.registryAuth && { registryAuth: build.registryAuth }),
        dirs: {
          context: {
            path: build.contextDir,
            ignore: build.ignore ?? [],
            onSkipped: skippedLine(build),
            ...(build.onSent && { onSent: build.onSent }),
          },
          dockerfile: { path: dirname(dockerfile) },
        },
      },
    },
    solveOptions(client, build),
  );
  return builtImage(client, build, exporter, result);
}

function attrsOf(build: DockerfileBuild, filename: string): Record<string, string> {
  const { buildArgs = {}, target, noCache, labels = {}, hosts = {} } = build;
  const args = Object.entries(buildArgs).map(([name, value]) => [`build-arg:${name}`, value]);
  return {
    filename,
    cmdline: "dockerfile.v0",
    ...(target && { target }),
    ...(noCache && { "no-cache": "" }),
    ...(Object.keys(hosts).length > 0 && { "add-hosts": hostLines(hosts) }),
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label:${name}`, value])),
    ...Object.fromEntries(args),
    // After the build's own arguments: one of that name would open another tenant's cache mounts.
    "build-arg:BUILDKIT_CACHE_MOUNT_NS": namespaceOf(build),
  };
}

const hostLines = (hosts: Hosts): string =>
  Object.entries(hosts)
    .map(([name, address]) => `${name}=${address}`)
    .join(",");

const namespaceOf = ({ cacheNamespace, contextDir }: DockerfileBuild): string =>
  cacheNamespace ?? folderKey(contextDir);

/** A key for builds that were not told whose they are. */
export const folderKey = (dir: string): string =>
  createHash("sha256").update(resolve(dir)).digest("hex").slice(0, 24);

/** Says which files a build cannot use, so that a missing socket is no riddle. */
export const skippedLine =
  (build: BuildOptions) =>
  (path: string): void =>
    statusLine(build, `left out ${JSON.stringify(path)}: it is a socket, pipe or device`);

/** A line of the build's log that is this side's own. */
export const statusLine = ({ onLog }: BuildOptions, text: string): void =>
  onLog?.({ ts: Date.now(), step: "load source", stream: "status", text });
