import { createHash } from "node:crypto";
import type { AttachTo, BuildDocument } from "../../core/builds/documents/build-document.ts";
import type { RegistryProvider } from "../../ports/registry-provider.ts";
import { distributionClient, type DistributionClient } from "./distribution-client.ts";

const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  empty: "application/vnd.oci.empty.v1+json",
} as const;
type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };
type Referrer = Descriptor & { readonly artifactType: string };

const imageTypes = [
  types.index,
  types.manifest,
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(",");
const pushSeconds = 300;

/** The name under which registries without the referrers API keep what belongs to an image. */
export const referrersTag = (imageDigest: string): string => imageDigest.replace(":", "-");
export const isReferrersTag = (tag: string): boolean => /^sha256-[0-9a-f]{64}$/.test(tag);

/**
 * Puts documents beside an image of a registry, as OCI 1.1 has it: each a manifest whose subject is the image, found by
 * the referrers API or, where the registry has none, under a tag of the image's digest. Again, it changes nothing.
 * Rejects with what the registry said.
 */
export async function attachDocuments(
  registry: Pick<RegistryProvider, "host" | "credentials">,
  { projectId, image }: AttachTo,
  documents: readonly BuildDocument[],
): Promise<void> {
  const [reference, digest] = image.split("@") as [string, string];
  const name = reference.slice(reference.indexOf("/") + 1);
  const { host, ...credentials } = await registry.credentials(projectId, "push", pushSeconds);
  const origin = `${/^(127\.|localhost(:|$))/.test(host) ? "http" : "https"}://${host}`;
  const repository = repositoryOf(distributionClient({ origin, credentials }), name);
  const subject = await repository.describe(digest);
  const config = await repository.putBlob(types.empty, Buffer.from("{}"));
  const referrers: Referrer[] = [];
  let isKnown = true;
  for (const { kind, mediaType, text } of documents) {
    const layer = await repository.putBlob(mediaType, Buffer.from(text));
    const manifest = {
      schemaVersion: 2,
      mediaType: types.manifest,
      artifactType: mediaType,
      config,
      layers: [layer],
      subject,
      annotations: { "starform.io/document": kind },
    };
    const { headers, ...put } = await repository.putManifest(types.manifest, manifest);
    isKnown &&= headers["oci-subject"] !== undefined;
    referrers.push({ ...put, artifactType: mediaType });
  }
  if (!isKnown) await repository.putIndex(referrersTag(digest), referrers);
}

function repositoryOf(client: DistributionClient, name: string) {
  const at = `/v2/${name}`;
  const call = async (method: string, path: string, expected: readonly number[], asked = {}) => {
    const answer = await client.call(method, path, asked);
    if (expected.includes(answer.status)) return answer;
    throw new Error(
      `the registry answered ${answer.status} to ${method} ${path.split("?")[0]}: ${answer.body.slice(0, 300)}`,
    );
  };
  const putManifest = async (mediaType: string, manifest: unknown, tag?: string) => {
    const body = Buffer.from(JSON.stringify(manifest));
    const described = descriptorOf(mediaType, body);
    const headers = { "content-type": mediaType };
    const answer = await call("PUT", `${at}/manifests/${tag ?? described.digest}`, [201], { body, headers });
    return { ...described, headers: answer.headers };
  };
  return {
    putManifest,
    async describe(digest: string): Promise<Descriptor> {
      const headers = { accept: imageTypes };
      const answer = await call("HEAD", `${at}/manifests/${digest}`, [200], { headers });
      return {
        mediaType: String(answer.headers["content-type"]),
        digest,
        size: Number(answer.headers["content-length"]),
      };
    },
    async putBlob(mediaType: string, body: Buffer): Promise<Descriptor> {
      const described = descriptorOf(mediaType, body);
      const { status } = await call("HEAD", `${at}/blobs/${described.digest}`, [200, 404]);
      if (status === 200) return described;
      const begun = await call("POST", `${at}/blobs/uploads/`, [202]);
      const location = begun.headers.location ?? "";
      const query = `${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(described.digest)}`;
      const headers = { "content-type": "application/octet-stream" };
      await call("PUT", `${location}${query}`, [201], { body, headers });
      return described;
    },
    /** Adds to what is listed there already. */
    async putIndex(tag: string, referrers: readonly Referrer[]): Promise<void> {
      const headers = { accept: types.index };
      const { status, body } = await call("GET", `${at}/manifests/${tag}`, [200, 404], { headers });
      const before = status === 200 ? ((JSON.parse(body) as { manifests?: Referrer[] }).manifests ?? []) : [];
      const all = new Map([...before, ...referrers].map((one) => [one.digest, one]));
      const manifests = [...all.values()].map(({ mediaType, digest, size, artifactType }) => ({
        mediaType,
        digest,
        size,
        artifactType,
      }));
      await putManifest(types.index, { schemaVersion: 2, mediaType: types.index, manifests }, tag);
    },
  };
}

const descriptorOf = (mediaType: string, body: Buffer): Descriptor => ({
  mediaType,
  digest: `sha256:${createHash("sha256").update(body).digest("hex")}`,
  size: body.length,
});
