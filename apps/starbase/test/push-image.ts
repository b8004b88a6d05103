import { createHash, randomBytes } from "node:crypto";
import type { DistributionClient } from "../src/adapters/registry/distribution-client.ts";

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
const indexType = "application/vnd.oci.image.index.v1+json";
export const manifestTypes = [manifestType, indexType, "application/vnd.oci.image.manifest.v1+json"].join(
  ",",
);

export type Refused = { readonly status: number; readonly body: string };
class PushRefused extends Error {
  readonly status: number;
  constructor({ status, body }: Refused) {
    super(`refused with ${status}: ${body}`);
    this.status = status;
  }
}

/** Pushes a small image as a Docker client does, layers first; rejects with what the registry said. */
export async function pushImage(
  client: DistributionClient,
  name: string,
  /** Undefined for one that has no name but its digest. */
  tag: string | undefined,
  layer: Uint8Array = randomBytes(1_000),
): Promise<{ digest: string; layer: string; sizeBytes: number }> {
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", layer: digestOf(layer) }));
  for (const blob of [config, layer]) await pushBlob(client, name, blob);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: described("application/vnd.docker.container.image.v1+json", config),
      layers: [described("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
    }),
  );
  await putManifest(client, name, tag ?? digestOf(manifest), manifest, manifestType);
  return {
    digest: digestOf(manifest),
    layer: digestOf(layer),
    sizeBytes: manifest.length + config.length + layer.length,
  };
}

/** Pushes an index over manifests that are there already. */
export async function pushIndex(
  client: DistributionClient,
  name: string,
  tag: string,
  digests: readonly string[],
): Promise<string> {
  const manifests = await Promise.all(
    digests.map(async (digest) => {
      const { headers } = await client.call("HEAD", `/v2/${name}/manifests/${digest}`, {
        headers: { accept: manifestTypes },
      });
      return { mediaType: headers["content-type"], digest, size: Number(headers["content-length"]) };
    }),
  );
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
  await putManifest(client, name, tag, index, indexType);
  return digestOf(index);
}

export const hasManifest = async (
  client: DistributionClient,
  name: string,
  reference: string,
): Promise<boolean> => {
  const answer = await client.call("GET", `/v2/${name}/manifests/${reference}`, {
    headers: { accept: manifestTypes },
  });
  if (answer.status === 200) return true;
  if (answer.status === 404) return false;
  throw new PushRefused(answer);
};

export const hasBlob = async (client: DistributionClient, name: string, digest: string): Promise<boolean> =>
  (await client.call("HEAD", `/v2/${name}/blobs/${digest}`)).status === 200;

async function pushBlob(client: DistributionClient, name: string, blob: Uint8Array): Promise<void> {
  const begun = await client.call("POST", `/v2/${name}/blobs/uploads/`);
  if (begun.status !== 202) throw new PushRefused(begun);
  const location = begun.headers.location ?? "";
  const digest = encodeURIComponent(digestOf(blob));
  const put = await client.call("PUT", `${location}${location.includes("?") ? "&" : "?"}digest=${digest}`, {
    body: blob,
    headers: { "content-type": "application/octet-stream" },
  });
  if (put.status !== 201) throw new PushRefused(put);
}

async function putManifest(
  client: DistributionClient,
  name: string,
  tag: string,
  body: Uint8Array,
  type: string,
): Promise<void> {
  const put = await client.call("PUT", `/v2/${name}/manifests/${tag}`, {
    body,
    headers: { "content-type": type },
  });
  if (put.status !== 201) throw new PushRefused(put);
}

const described = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  size: bytes.length,
  digest: digestOf(bytes),
});
