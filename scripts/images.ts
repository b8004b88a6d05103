// Builds the images of our own programs: npm run images -- <name> --node-image <reference@digest> [--tag <reference>] …
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport } from "@starform/buildkit/transport";
import { imageContext, images, type ImageContext, type ImageName } from "./image-context.ts";

const help = `npm run images -- <name> --node-image <reference@sha256:…> [flags]

  <name>                 ${Object.keys(images).join(", ")}
  --node-image <ref>     the base, by digest: gcr.io/distroless/nodejs24-debian12:nonroot@sha256:…
  --tag <ref>            its name (default starform/<name>:<version>)
  --platform <list>      default linux/amd64,linux/arm64; with docker buildx
  --push                 into the registry of its name; with docker buildx
  --engine <socket>      with our own BuildKit client instead, for this engine's platform; the image stays in it
  --context-only         make dist/images/<name>, and build nothing`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "node-image": { type: "string" },
    tag: { type: "string" },
    platform: { type: "string", default: "linux/amd64,linux/arm64" },
    push: { type: "boolean", default: false },
    engine: { type: "string" },
    "context-only": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const name = positionals[0] as ImageName | undefined;

if (values.help || !name || !Object.hasOwn(images, name)) {
  console.log(help);
  process.exitCode = values.help ? 0 : 2;
} else {
  const dir = fileURLToPath(new URL(`../dist/images/${name}`, import.meta.url));
  const context = await imageContext(name, dir);
  console.log(`${dir}: ${context.packages.length} packages bundled`);
  if (!values["context-only"]) process.exitCode = await build(name, context);
}

async function build(image: ImageName, context: ImageContext): Promise<number> {
  const base = values["node-image"];
  if (!base?.includes("@sha256:")) {
    console.error(
      `--node-image must name the base by its digest, like gcr.io/distroless/nodejs24-debian12:nonroot@sha256:…: docker buildx imagetools inspect <image>:<tag> tells it`,
    );
    return 2;
  }
  const tag = values.tag ?? `starform/${image}:${context.version}`;
  const labels = labelsOf(context);
  if (values.engine) {
    await using client = await openBuildKit(dockerTransport(values.engine));
    const buildArgs = { NODE_IMAGE: base };
    const { imageId } = await buildDockerfile(client, {
      contextDir: context.dir,
      dockerfilePath: join(context.dir, "Dockerfile"),
      buildArgs,
      tags: [tag],
      labels,
    });
    console.log(`${tag} ${imageId}`);
    return 0;
  }
  const flags = [
    "--platform",
    values.platform,
    "--build-arg",
    `NODE_IMAGE=${base}`,
    "--tag",
    tag,
    ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
    ...(values.push ? ["--push"] : []),
  ];
  const ran = spawnSync("docker", ["buildx", "build", ...flags, context.dir], { stdio: "inherit" });
  if (ran.error) console.error(`docker buildx could not be started: ${ran.error.message}`);
  return ran.status ?? 1;
}

const labelsOf = ({ version, revision }: ImageContext): Record<string, string> => ({
  "org.opencontainers.image.title": "Starform",
  "org.opencontainers.image.licenses": "Apache-2.0",
  "org.opencontainers.image.version": version,
  ...(revision ? { "org.opencontainers.image.revision": revision } : {}),
});
