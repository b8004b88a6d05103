import {
  createRegistryPassword,
  deleteRegistry,
  listRegistries,
  putRegistry,
} from "@starform/contract/registries";
import { createToken } from "@starform/contract/identity";
import { registryIssuer, registryService, registryTokenPath } from "@starform/std/docker-registry-config";
import { selfSignedCertificate } from "@starform/std/self-signed-certificate";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { freePort, openDockerRegistry, requireRegistryInCi } from "@starform/testkit/docker-registry";
import { listGitLogins, putGitLogin } from "@starform/contract/git-hosts";
import { createDeployment } from "@starform/contract/deployments";
import { updateService } from "@starform/contract/services";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { secretBox } from "../src/adapters/local/secret-box.ts";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { postgresStores } from "../src/adapters/postgres/stores.ts";
import { gitSignIn } from "../src/wiring/git.ts";
import { distributionClient } from "../src/adapters/registry/distribution-client.ts";
import { engineImageResolver } from "../src/adapters/registry/engine-image-resolver.ts";
import { registryImageResolver } from "../src/adapters/registry/registry-image-resolver.ts";
import type { ImageResolver } from "../src/ports/image-resolver.ts";
import { aMember, aProject, desiredState, openApiWorld, type ApiWorld } from "./api-world.ts";
import { engineDocker } from "./engine-docker.ts";
import { hasManifest, pushImage } from "./push-image.ts";

const hasRegistry = requireRegistryInCi();
let world: ApiWorld;
let host: string;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const signing = selfSignedCertificate("Starform registry", new Date());
  const port = await freePort();
  host = `127.0.0.1:${port}`;
  world = stack.use(
    await openApiWorld({
      runtime: "docker",
      settings: {
        STARBASE_REGISTRY: "docker-registry",
        STARBASE_REGISTRY_PORT: String(port),
        STARBASE_REGISTRY_PEM: `${signing.key}${signing.certificate}`,
      },
    }),
  );
  if (!hasRegistry) return;
  stack.use(
    await openDockerRegistry({
      dir: join(world.config.dataDir, "registry"),
      port,
      realm: `${world.url}${registryTokenPath}`,
      service: registryService,
      issuer: registryIssuer,
      certificate: signing.certificate,
    }),
  );
});
afterAll(() => stack.disposeAsync());

const passwordFor = (project: string, access: "pull" | "push" = "push") =>
  world.owner(createRegistryPassword, { params: { project }, body: { access } });
const clientWith = (credentials: { username: string; password: string }) =>
  distributionClient({ origin: `http://${host}`, credentials });

describe.runIf(hasRegistry)("the registry of an installation", () => {
  test("opens a project's repositories to its registry password, and no other project's", async () => {
    const [own, other] = [await aProject(world), await aProject(world)];
    const made = await passwordFor(own.ref.project);
    expect(made).toMatchObject({ host, prefix: `${host}/${own.project.id}` });
    const client = clientWith(made);
    const { digest } = await pushImage(client, `${own.project.id}/${own.service.id}`, "v1");
    expect(await hasManifest(client, `${own.project.id}/${own.service.id}`, digest)).toBe(true);
    const foreign = `${other.project.id}/${other.service.id}`;
    await expect(pushImage(client, foreign, "v1")).rejects.toMatchObject({ status: 401 });
    await expect(hasManifest(client, foreign, digest)).rejects.toMatchObject({ status: 401 });
  });

  test("takes nothing for a service the project does not have", async () => {
    const [own, other] = [await aProject(world), await aProject(world)];
    const client = clientWith(await passwordFor(own.ref.project));
    await expect(pushImage(client, `${own.project.id}/${other.service.id}`, "v1")).rejects.toMatchObject({
      status: 401,
    });
    await expect(pushImage(client, "library/nginx", "v1")).rejects.toMatchObject({ status: 401 });
  });

  test("lets no password of a project delete or list the catalog", async () => {
    const { project, service, ref } = await aProject(world);
    const client = clientWith(await passwordFor(ref.project));
    const name = `${project.id}/${service.id}`;
    const { digest } = await pushImage(client, name, "v1");
    expect((await client.call("DELETE", `/v2/${name}/manifests/${digest}`)).status).toBe(401);
    expect((await client.call("GET", "/v2/_catalog")).status).toBe(401);
  });

  test("opens to an API token what its owner may see and deploy", async () => {
    const { project, service, ref } = await aProject(world);
    const name = `${project.id}/${service.id}`;
    const viewer = await aMember(world, "viewer@registry.example", "member", {
      project: ref.project,
      role: "viewer",
    });
    const tokenOf = async (call: ApiWorld["owner"], scope: "read" | "write") =>
      clientWith({
        username: "anything",
        password: (await call(createToken, { body: { name: scope, scope } })).secret,
      });
    const { digest } = await pushImage(await tokenOf(world.owner, "write"), name, "v1");
    const seen = await tokenOf(viewer, "write");
    expect(await hasManifest(seen, name, digest)).toBe(true);
    await expect(pushImage(seen, name, "v2")).rejects.toMatchObject({ status: 401 });
    await expect(pushImage(await tokenOf(world.owner, "read"), name, "v2")).rejects.toMatchObject({
      status: 401,
    });
    const stranger = await aMember(world, "stranger@registry.example", "member");
    await expect(hasManifest(await tokenOf(stranger, "write"), name, digest)).rejects.toMatchObject({
      status: 401,
    });
  });

  test("mounts no layer of another project, which clients then send", async () => {
    const [own, other] = [await aProject(world), await aProject(world)];
    const there = `${other.project.id}/${other.service.id}`;
    const bytes = randomBytes(1_000);
    const theirs = clientWith(await passwordFor(other.ref.project));
    const { layer } = await pushImage(theirs, there, "v1", bytes);
    const { username, password } = await passwordFor(own.ref.project);
    const here = `${own.project.id}/${own.service.id}`;
    const asked = [`repository:${here}:pull,push`, `repository:${there}:pull`];
    const query = new URLSearchParams(asked.map((scope) => ["scope", scope]));
    const given = await fetch(`${world.url}${registryTokenPath}?${query}`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` },
    });
    const { token } = (await given.json()) as { token: string };
    const claims = Buffer.from(token.split(".")[1]!, "base64url").toString();
    expect(JSON.parse(claims)).toMatchObject({
      access: [{ type: "repository", name: here, actions: ["pull", "push"] }],
    });
    const client = distributionClient({ origin: `http://${host}`, token });
    const mounted = await client.call("POST", `/v2/${here}/blobs/uploads/?mount=${layer}&from=${there}`);
    expect(mounted.status).toBe(401);
    expect((await pushImage(client, here, "v1", bytes)).layer).toBe(layer);
  });

  test("takes the token protocol's newer form, and tells who cannot sign in why", async () => {
    const { ref, project, service } = await aProject(world);
    const { username, password } = await passwordFor(ref.project, "pull");
    const ask = (fields: Record<string, string>) =>
      fetch(`${world.url}${registryTokenPath}`, { method: "POST", body: new URLSearchParams(fields) });
    const scope = `repository:${project.id}/${service.id}:pull`;
    const given = await ask({ grant_type: "password", username, password, scope, service: registryService });
    expect(await given.json()).toMatchObject({ access_token: expect.any(String), expires_in: 60 });
    const wrong = await ask({ grant_type: "password", username, password: "wrong", scope });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get("www-authenticate")).toBe('Basic realm="Starform"');
    expect(await wrong.text()).toContain("neither an API token");
    expect((await ask({ grant_type: "refresh_token" })).status).toBe(400);
  });

  test.each(["x", "sfr_", "sfr_a.b", `sfr_${"A".repeat(60)}.${"B".repeat(43)}`])(
    "takes %s for no password",
    async (password) => {
      const authorization = `Basic ${Buffer.from(`u:${password}`).toString("base64")}`;
      const answer = await fetch(`${world.url}${registryTokenPath}`, { headers: { authorization } });
      expect(answer.status).toBe(401);
    },
  );

  test("gives out no password that outlives the token it was asked for with", async () => {
    const { ref } = await aProject(world);
    const day = 86_400_000;
    const token = await world.owner(createToken, { body: { name: "short", expiresInDays: 1 } });
    const made = await world.as(token.secret)(createRegistryPassword, {
      params: { project: ref.project },
      body: { expiresInSeconds: 31_536_000 },
    });
    expect(Date.parse(made.expiresAt)).toBeLessThanOrEqual(Date.now() + day);
  });
});

/** What a resolver of either kind promises: an engine asks, or Starbase itself. */
async function resolves(resolver: ImageResolver): Promise<void> {
  const { project, service, ref } = await aProject(world);
  const image = `${host}/${project.id}/${service.id}`;
  const signIn = await passwordFor(ref.project, "pull");
  const pushing = clientWith(await passwordFor(ref.project));
  const { digest } = await pushImage(pushing, `${project.id}/${service.id}`, "v1");
  expect(await resolver.digestOf(`${image}:v1`, signIn)).toBe(digest);
  await expect(resolver.digestOf(`${image}:v2`, signIn)).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringContaining(`${host} has no image ${image}:v2`),
  });
  const wrong = { username: "ada", password: "a-wrong-password" };
  for (const nobody of [undefined, wrong]) {
    const error = await resolver.digestOf(`${image}:v1`, nobody).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "invalid", message: expect.stringContaining("registries add") });
    expect((error as Error).stack).not.toContain(wrong.password);
  }
}

describe.runIf(hasRegistry)("a deployment of an image", () => {
  test("asks the registry what a name stands for", () => resolves(registryImageResolver({ ownHost: host })));

  test("holds the digest its tag stood for, also when the tag has moved on", async () => {
    const { project, service, ref } = await aProject(world);
    const [name, image] = [`${project.id}/${service.id}`, `${host}/${project.id}/${service.id}`];
    const client = clientWith(await passwordFor(ref.project));
    const first = await pushImage(client, name, "v1");
    const deploy = (body: { image?: string }) =>
      world.owner(createDeployment, { params: ref, query: {}, body });
    expect(await deploy({ image: `${image}:v1` })).toMatchObject({
      image: `${image}@${first.digest}`,
      imageDigest: first.digest,
    });
    const second = await pushImage(client, name, "v1");
    expect(await deploy({})).toMatchObject({ imageDigest: first.digest });
    const source = { kind: "image", image: `${image}:v1` } as const;
    await world.owner(updateService, { params: ref, query: {}, body: { source } });
    expect(await deploy({})).toMatchObject({ imageDigest: second.digest });
    const { services } = await desiredState(world);
    expect(services.find((one) => one.service_id === service.id)).toMatchObject({
      image: `${image}@${second.digest}`,
      provenance: { image_ref: `${image}@${second.digest}` },
    });
  });

  test("is refused for another project's image, and for one that nobody has", async () => {
    const [own, other] = [await aProject(world), await aProject(world)];
    const theirs = `${host}/${other.project.id}/${other.service.id}`;
    const { digest } = await pushImage(
      clientWith(await passwordFor(other.ref.project)),
      `${other.project.id}/${other.service.id}`,
      "v1",
    );
    const deploy = (image: string) =>
      world.owner(createDeployment, { params: own.ref, query: {}, body: { image } });
    for (const image of [`${theirs}:v1`, `${theirs}@${digest}`])
      await expect(deploy(image)).rejects.toMatchObject({ code: "not_found" });
    await expect(deploy(`${host}/${own.project.id}/${own.service.id}:v1`)).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(deploy("127.0.0.1:9/app:1")).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("does not lie in the public network"),
    });
  });
});

describe.runIf(hasRegistry && requireEngineInCi())("with a real engine", () => {
  test("an engine asks the registry what a name stands for", async () => {
    await using engine = await openDockerEngine();
    const resolver = engineImageResolver(engine.socketPath);
    await resolves(resolver);
    await expect(resolver.digestOf("127.0.0.1:9/app:1", undefined)).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("a cluster pulls with what desired state says, which stays the same", async () => {
    await using engine = await openDockerEngine();
    const docker = engineDocker(engine.socketPath);
    const { project, service, ref } = await aProject(world);
    const image = `${host}/${project.id}/${service.id}`;
    await docker.make(`${image}:v1`, "from our registry");
    await docker.push(`${image}:v1`, await passwordFor(ref.project));
    await docker.remove(`${image}:v1`);
    await world.owner(createDeployment, { params: ref, query: {}, body: { image: `${image}:v1` } });
    const wanted = async () =>
      (await desiredState(world)).services.find(({ service_id }) => service_id === service.id)!;
    const { image: pinned, image_credentials: credentials } = await wanted();
    expect(pinned).toMatch(/@sha256:[0-9a-f]{64}$/);
    const { registry, username, password } = credentials!;
    expect(await docker.pull(pinned, { host: registry, username, password: "wrong" })).toMatch(
      /unauthorized/,
    );
    expect(await docker.pull(pinned, { host: registry, username, password })).toBeUndefined();
    expect(await docker.has(pinned)).toBe(true);
    await world.reopen();
    expect((await wanted()).image_credentials).toEqual(credentials);
  });

  test("signs in, pushes and pulls with a project's password, and is denied another's", async () => {
    await using engine = await openDockerEngine();
    const docker = engineDocker(engine.socketPath);
    const [own, other] = [await aProject(world), await aProject(world)];
    const signIn = await passwordFor(own.ref.project);
    expect(await docker.login(signIn)).toBeUndefined();
    expect(await docker.login({ ...signIn, password: "wrong" })).toMatch(/unauthorized/);

    const image = `${host}/${own.project.id}/${own.service.id}:v1`;
    await docker.make(image, `hello ${randomBytes(8).toString("hex")}`);
    expect(await docker.push(image, signIn)).toBeUndefined();
    await docker.remove(image);
    expect(await docker.has(image)).toBe(false);
    expect(await docker.pull(image, signIn)).toBeUndefined();
    expect(await docker.has(image)).toBe(true);

    const foreign = `${host}/${other.project.id}/${other.service.id}:v1`;
    await docker.tag(image, foreign);
    expect(await docker.push(foreign, signIn)).toMatch(/denied|unauthorized/);
    const theirs = await passwordFor(other.ref.project);
    expect(await docker.push(foreign, theirs)).toBeUndefined();
    await docker.remove(foreign);
    expect(await docker.pull(foreign, signIn)).toMatch(/denied/);
    const reader = await passwordFor(own.ref.project, "pull");
    await docker.make(image, "another");
    expect(await docker.push(image, reader)).toMatch(/denied|unauthorized/);
  });
});

describe("sign-ins to other registries", () => {
  test("reach the cluster with the image they are for, at once and for their project only", async () => {
    const [own, other] = [await aProject(world), await aProject(world)];
    const image = `ghcr.io/acme/web@sha256:${"a".repeat(64)}`;
    for (const { ref } of [own, other])
      await world.owner(createDeployment, { params: ref, query: {}, body: { image } });
    const seen = async () =>
      (await desiredState(world)).services
        .filter(({ image: one }) => one === image)
        .map(({ project_id, image_credentials }) => [project_id, image_credentials]);
    const params = { project: own.ref.project, host: "ghcr.io" };
    await world.owner(putRegistry, { params, body: { username: "ada", password: "secret" } });
    const expected = [
      [own.project.id, { registry: "ghcr.io", username: "ada", password: "secret" }],
      [other.project.id, null],
    ];
    expect(await seen()).toEqual(expect.arrayContaining(expected));
    await world.owner(deleteRegistry, { params });
    expect((await seen()).map(([, credentials]) => credentials)).toEqual([null, null]);
  });

  test("are kept by host, shown without their password, and forgotten", async () => {
    const { ref } = await aProject(world);
    const params = { project: ref.project, host: "ghcr.io" };
    const password = `secret-${randomBytes(8).toString("hex")}`;
    await world.owner(putRegistry, { params, body: { username: "ada", password: "first" } });
    const kept = await world.owner(putRegistry, { params, body: { username: "ada", password } });
    expect(kept).toMatchObject({ host: "ghcr.io", username: "ada" });
    const { items } = await world.owner(listRegistries, { params });
    expect(items).toEqual([kept]);
    expect(JSON.stringify(items) + world.log()).not.toContain(password);
    await world.owner(deleteRegistry, { params });
    expect((await world.owner(listRegistries, { params })).items).toEqual([]);
    await expect(world.owner(deleteRegistry, { params })).rejects.toMatchObject({ code: "not_found" });
  });

  test("are a project admin's to set, and everybody's of the project to see", async () => {
    const { ref } = await aProject(world);
    const params = { project: ref.project, host: "index.docker.io" };
    const body = { username: "ada", password: "secret" };
    const developer = await aMember(world, "developer@registry.example", "member", {
      project: ref.project,
      role: "developer",
    });
    await expect(developer(putRegistry, { params, body })).rejects.toMatchObject({ code: "forbidden" });
    await world.owner(putRegistry, { params, body });
    expect((await developer(listRegistries, { params })).items).toMatchObject([{ host: "docker.io" }]);
    await expect(developer(deleteRegistry, { params })).rejects.toMatchObject({ code: "forbidden" });
  });

  test("to Git hosts are kept apart, and are what code of a service of the project is fetched with", async () => {
    const [own, other] = [await aProject(world), await aProject(world)];
    const params = { project: own.ref.project, host: "github.com" };
    await world.owner(putGitLogin, { params, body: { username: "ada", password: "git-secret" } });
    expect((await world.owner(listRegistries, { params })).items).toEqual([]);
    expect((await world.owner(listGitLogins, { params })).items).toMatchObject([{ host: "github.com" }]);
    await using database = openDatabase({ ...world.config.database, onError: () => undefined });
    const signIn = gitSignIn({
      stores: postgresStores(database.db),
      box: secretBox(world.config.encryptionKeys),
    });
    expect(await signIn({ serviceId: own.service.id }, "github.com")).toEqual({
      username: "ada",
      password: "git-secret",
    });
    expect(await signIn({ serviceId: own.service.id }, "gitlab.com")).toBeUndefined();
    expect(await signIn({ serviceId: other.service.id }, "github.com")).toBeUndefined();
    const ofProject = (id: string) => signIn({ projectId: id }, "github.com");
    expect(await ofProject(own.project.id)).toEqual({ username: "ada", password: "git-secret" });
    expect(await ofProject(other.project.id)).toBeUndefined();
    expect(world.log()).not.toContain("git-secret");
  });

  test("refuses a host that is none", async () => {
    const { ref } = await aProject(world);
    const params = { project: ref.project, host: "https:example.com" };
    await expect(
      world.owner(putRegistry, { params, body: { username: "ada", password: "x" } }),
    ).rejects.toMatchObject({ code: "invalid" });
  });
});
