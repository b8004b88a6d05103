import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attachDocuments, referrersTag } from "../src/adapters/registry/attach-documents.ts";
import { distributionClient, type DistributionClient } from "../src/adapters/registry/distribution-client.ts";
import { documentOf } from "../src/core/builds/documents/build-document.ts";
import type { RegistryProvider } from "../src/ports/registry-provider.ts";
import { hasManifest, pushImage } from "./push-image.ts";
import { openRegistryForBuilds } from "./registry-for-builds.ts";

const asIs = (text: string) => text;
const documents = [
  documentOf("sbom", { bomFormat: "CycloneDX" }, asIs),
  documentOf("provenance", { _type: "https://in-toto.io/Statement/v1" }, asIs),
];
type Manifest = {
  manifests: { digest: string; artifactType: string }[];
  subject: { digest: string };
  layers: { digest: string; mediaType: string }[];
};

describe.skipIf(!requireRegistryInCi())("documents beside an image of a registry", () => {
  let stack: AsyncDisposableStack;
  let registry: RegistryProvider;
  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const dir = await mkdtemp(path.join(tmpdir(), "attach-"));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    ({ registry } = stack.use(await openRegistryForBuilds(dir)));
  }, 60_000);
  afterAll(() => stack?.disposeAsync());

  async function anImage() {
    const repository = { projectId: randomUUID(), serviceId: randomUUID() };
    const reference = await registry.ensureRepository(repository);
    const name = `${repository.projectId}/${repository.serviceId}`;
    const { host, ...credentials } = await registry.credentials(repository.projectId, "push", 300);
    const client = distributionClient({ origin: `http://${host}`, credentials });
    const { digest } = await pushImage(client, name, "a-build");
    return {
      repository,
      name,
      client,
      digest,
      to: { ...repository, image: `${reference}@${digest}`, imageDigest: digest },
    };
  }
  const get = async (client: DistributionClient, at: string) => {
    const accept = "application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json";
    const { status, body } = await client.call("GET", at, { headers: { accept } });
    expect(status).toBe(200);
    return body;
  };

  test("are found by the image's digest, name it as their subject, and are what was kept, byte for byte", async () => {
    const { name, client, digest, to } = await anImage();
    await attachDocuments(registry, to, documents);
    const index = JSON.parse(await get(client, `/v2/${name}/manifests/${referrersTag(digest)}`)) as Manifest;
    expect(index.manifests.map(({ artifactType }) => artifactType)).toEqual(
      documents.map(({ mediaType }) => mediaType),
    );
    for (const [at, { digest: own }] of index.manifests.entries()) {
      const manifest = JSON.parse(await get(client, `/v2/${name}/manifests/${own}`)) as Manifest;
      expect(manifest.subject.digest).toBe(digest);
      const text = await get(client, `/v2/${name}/blobs/${manifest.layers[0]!.digest}`);
      expect(text).toBe(documents[at]!.text);
      expect(`sha256:${createHash("sha256").update(text).digest("hex")}`).toBe(documents[at]!.digest);
    }
  });

  test("are there once, however often they are attached, and no image among images", async () => {
    const { name, client, repository, digest, to } = await anImage();
    await attachDocuments(registry, to, documents);
    await attachDocuments(registry, to, documents);
    const index = JSON.parse(await get(client, `/v2/${name}/manifests/${referrersTag(digest)}`)) as Manifest;
    expect(index.manifests).toHaveLength(2);
    expect((await registry.images(repository)).map((image) => image.digest)).toEqual([digest]);
  });

  test("go with the image", async () => {
    const { name, client, repository, digest, to } = await anImage();
    await attachDocuments(registry, to, documents);
    await registry.remove(repository, digest);
    expect(await hasManifest(client, name, referrersTag(digest))).toBe(false);
    expect(await registry.images(repository)).toEqual([]);
  });

  test("of an image that is not there are refused with what the registry said", async () => {
    const { to } = await anImage();
    const none = `sha256:${"0".repeat(64)}`;
    const gone = { ...to, image: to.image.replace(/@.*/, `@${none}`), imageDigest: none };
    await expect(attachDocuments(registry, gone, documents)).rejects.toThrow(/the registry answered 404/);
  });
});
