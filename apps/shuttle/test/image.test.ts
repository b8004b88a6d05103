import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport } from "@starform/buildkit/transport";
import { desiredStatePurpose } from "@starform/contract/clusters";
import { until } from "@starform/std/retry";
import { signerOf } from "@starform/std/signature";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { freePort } from "@starform/testkit/docker-registry";
import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageContext, type ImageContext } from "../../../scripts/image-context.ts";
import { aDocument, aService } from "./desired.ts";
import { openFakeStarbase } from "./fake-starbase.ts";
import { containers, importNodeBase } from "./image-rig.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const text = (path: string) => readFileSync(join(root, path), "utf8");
const patience = { withinMs: 90_000, everyMs: 200 };
const token = "the-token-of-the-cluster";

describe.runIf(requireEngineInCi())("Shuttle's image", { timeout: 300_000 }, () => {
  let made: string;
  let context: ImageContext;
  beforeAll(async () => {
    made = await mkdtemp(join(tmpdir(), "shuttle-context-"));
    context = await imageContext("shuttle", join(made, "once"));
  });
  afterAll(() => rm(made, { recursive: true, force: true }));

  test("runs as deploy/cluster runs it, applies, tells an operator what there is, and ends well", async () => {
    await using stack = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), "shuttle-image-"));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    const { socketPath } = stack.use(await openDockerEngine());
    const docker = containers(socketPath);
    const client = stack.use(await openBuildKit(dockerTransport(socketPath)));
    await buildDockerfile(client, {
      contextDir: context.dir,
      dockerfilePath: join(context.dir, "Dockerfile"),
      buildArgs: { NODE_IMAGE: await importNodeBase(socketPath, dir) },
      tags: ["starform/shuttle:test"],
    });

    // What the manifests and the pages for operators rely on.
    const { User, Entrypoint, ExposedPorts } = await docker.config("starform/shuttle:test");
    const manifest = text("deploy/cluster/shuttle/shuttle.yaml");
    expect(User).toBe("65532:65532");
    expect(manifest).toMatch(/runAsUser: 65532\n\s+runAsGroup: 65532/);
    expect(manifest).not.toMatch(/^\s+command:/m);
    expect(ExposedPorts).toEqual({ "8080/tcp": {} });
    expect(manifest).toContain("containerPort: 8080");
    for (const page of ["starbase-is-gone", "wrong-state-published"])
      expect(text(`docs/runbooks/${page}.md`)).toContain(`${Entrypoint.join(" ")} status`);

    const signer = signerOf(`k1:${randomBytes(32).toString("base64")}`, desiredStatePurpose);
    const starbase = stack.use(await openFakeStarbase(token, 0, signer.sign));
    const fake = stack.use(await openFakeKubernetes());
    for (const name of ["starform-system", "envoy-gateway-system"])
      fake.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    const files = { token, kubeconfig: fake.kubeconfig() };
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(dir, name), content);
      await chmod(join(dir, name), 0o444);
    }
    const clusterId = randomUUID();
    const service = aService({ image: `registry.example.com/web@sha256:${"a".repeat(64)}` });
    starbase.publish(aDocument(clusterId, 7, [service]));
    const port = await freePort();
    const operator = {
      KUBECONFIG: "/etc/starform/kubeconfig",
      STARFORM_RUNTIME: "kubernetes",
      STARFORM_SIGNING_KEYS: signer.publicKeys,
    };
    const id = await docker.start(
      "starform/shuttle:test",
      {
        ...operator,
        STARFORM_STARBASE_URL: starbase.url,
        STARFORM_CLUSTER_ID: clusterId,
        STARFORM_REGION: "nyc3",
        STARFORM_AUTH_TOKEN_FILE: "/etc/starform/token",
        STARFORM_DATA_DIR: "/var/lib/starform",
        STARFORM_METRICS_ADDR: `127.0.0.1:${port}`,
      },
      Object.keys(files).map((name) => `${join(dir, name)}:/etc/starform/${name}:ro`),
    );
    const answers = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until("it to be alive", () => answers("/healthz"), patience).catch(async (error: unknown) => {
      throw new Error(await docker.logs(id), { cause: error });
    });
    await until("it to be ready", () => answers("/readyz"), patience);
    const isApplied = () => fake.client.list("apps/v1", "Deployment", service.namespace).length === 1;
    await until("the service to be applied", isApplied, patience);

    const status = readFileSync(`/proc/${await docker.pidOf(id)}/status`, "utf8");
    expect(status).toMatch(/^Uid:\t65532\t65532/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    const said = await docker.exec(id, [...Entrypoint, "status", "--json"], operator);
    expect(JSON.parse(said)).toMatchObject({
      cluster_id: clusterId,
      version: 7,
      services: [{ service: expect.stringContaining("/web"), image: service.image }],
    });
    // There is nothing to log in with.
    expect(await docker.exec(id, ["/bin/sh", "-c", "echo in"])).not.toMatch(/^in/);
    expect(await docker.stop(id)).toBe(0);
  });

  test("lists what is bundled and where it came from, and is the same when it is made again", async () => {
    const again = await imageContext("shuttle", join(made, "again"));
    const read = (at: { dir: string }, name: string) => readFileSync(join(at.dir, "app", name), "utf8");
    for (const name of ["shuttle.mjs", "sbom.cdx.json", "provenance.json"])
      expect(read(again, name) === read(context, name)).toBe(true);
    const list = JSON.parse(read(context, "sbom.cdx.json")) as { components: { purl: string }[] };
    const manifest = JSON.parse(text("apps/shuttle/package.json")) as {
      dependencies: Record<string, string>;
    };
    const purls = list.components.map(({ purl }) => purl);
    for (const name of ["pino", "croner", "zod"])
      expect(purls).toContain(`pkg:npm/${name}@${manifest.dependencies[name]}`);
    // What only other programs of this repository use is not in it.
    expect(purls.filter((purl) => /\/(fastify|next|kysely)@/.test(purl))).toEqual([]);
    expect(JSON.parse(read(context, "provenance.json"))).toMatchObject({
      subject: [{ name: "app/shuttle.mjs", digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } }],
    });
  });
});
