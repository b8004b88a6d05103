import { gzipSync } from "node:zlib";
import { starformJsonSchema } from "@starform/build-plan/starform-file";
import * as clusters from "@starform/contract/clusters";
import { starformSchemaPath } from "@starform/contract/hosts";
import * as deployments from "@starform/contract/deployments";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import { allRoutes } from "@starform/contract/all-routes";
import { problemCodes } from "@starform/contract/problems";
import { faultCodes, type Fault } from "@starform/std/fault";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  aProject,
  clusterId,
  clusterToken,
  desiredState,
  openApiWorld,
  ownerToken,
  report,
  type ApiWorld,
} from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld({ runtime: "docker" });
});
afterAll(() => world[Symbol.asyncDispose]());

type Ref = { project: string; service: string };
const deploy = (ref: Ref, image: string) =>
  world.owner(deployments.createDeployment, { params: ref, query: {}, body: { image } });
const get = (id: string) => world.owner(deployments.getDeployment, { params: { deployment: id }, query: {} });
const digest = (letter: string) => `registry.test/app@sha256:${letter.repeat(64)}`;
const desired = async (ref: Ref) =>
  (await desiredState(world)).services.find(
    (s) => s.project_slug === ref.project && s.service_name === ref.service,
  );

describe("a deployment", () => {
  test("goes to the cluster, is deployed when an instance is up, and is what runs", async () => {
    const { ref } = await aProject(world);
    const made = await deploy(ref, digest("a"));
    expect(made.status).toBe("deploying");
    expect(await desired(ref)).toMatchObject({
      image: digest("a"),
      replicas: 1,
      hostname: `web-${ref.project}.localhost`,
      provenance: { deployment_id: made.id },
    });
    await report(world, made, { phase: "starting", ready_replicas: 0, serving_deployment_id: null });
    expect((await get(made.id)).status).toBe("deploying");
    await report(world, made);
    expect(await get(made.id)).toMatchObject({ status: "deployed", isActive: true });
    expect(await world.owner(services.getService, { params: ref, query: {} })).toMatchObject({
      activeDeploymentId: made.id,
      health: { phase: "running", readyReplicas: 1 },
    });
  });

  test("that fails leaves the one before it as what should run, with its reason", async () => {
    const { ref } = await aProject(world);
    const good = await deploy(ref, digest("a"));
    await report(world, good);
    const before = await desired(ref);
    const bad = await deploy(ref, digest("b"));
    await report(world, bad, {
      phase: "failed",
      reason: "it exited with code 1",
      last_lines: ["connecting", "Error: no database"],
      serving_deployment_id: good.id,
    });
    expect(await get(bad.id)).toMatchObject({
      status: "failed",
      reason: "it exited with code 1\n    connecting\n    Error: no database",
      isActive: false,
    });
    expect(await desired(ref)).toEqual(before);
    await report(world, bad);
    expect((await get(bad.id)).status).toBe("failed");
  });

  test("that fails with none before it stays what should run, and is tried again with the next variables", async () => {
    const { ref } = await aProject(world);
    const first = await deploy(ref, digest("a"));
    await report(world, first, {
      phase: "failed",
      ready_replicas: 0,
      reason: "DATABASE_URL is not set",
      serving_deployment_id: null,
    });
    expect((await desired(ref))?.provenance.deployment_id).toBe(first.id);
    expect(await world.owner(services.getService, { params: ref, query: {} })).toMatchObject({
      activeDeploymentId: null,
      health: { phase: "crashed", reason: "DATABASE_URL is not set" },
    });
    const { deploymentId } = await world.owner(variables.setVariables, {
      params: ref,
      query: {},
      body: { variables: { DATABASE_URL: "postgres://db" } },
    });
    expect(await get(deploymentId!)).toMatchObject({ status: "deploying", trigger: "variables" });
  });

  test("is superseded by a newer one on its way", async () => {
    const { ref } = await aProject(world);
    const [first, second] = [await deploy(ref, digest("a")), await deploy(ref, digest("b"))];
    expect(await get(first.id)).toMatchObject({ status: "cancelled", reason: "superseded by #2" });
    expect((await desired(ref))?.provenance.deployment_id).toBe(second.id);
  });

  test("can be cancelled on its way, and then what ran before should run", async () => {
    const { ref } = await aProject(world);
    const good = await deploy(ref, digest("a"));
    await report(world, good);
    const next = await deploy(ref, digest("b"));
    await world.owner(deployments.cancelDeployment, { params: { deployment: next.id } });
    expect((await desired(ref))?.provenance.deployment_id).toBe(good.id);
    await expect(
      world.owner(deployments.cancelDeployment, { params: { deployment: good.id } }),
    ).rejects.toMatchObject({ code: "conflict" });
  });

  test("rolls back to a receipt as it was: image, variables and config", async () => {
    const { ref } = await aProject(world);
    const set = (value: string) =>
      world.owner(variables.setVariables, {
        params: ref,
        query: {},
        body: { variables: { COLOUR: value }, deploy: false },
      });
    await set("red");
    const red = await deploy(ref, digest("a"));
    await report(world, red);
    await set("blue");
    const blue = await deploy(ref, digest("b"));
    await report(world, blue);
    const back = await world.owner(deployments.rollBackDeployment, { params: { deployment: red.id } });
    expect(back).toMatchObject({ trigger: "rollback", rollbackOf: red.id, status: "deploying" });
    expect(await desired(ref)).toMatchObject({
      image: digest("a"),
      var_groups: [{ variables: { COLOUR: "red" } }],
    });
    const { changes } = await world.owner(deployments.diffDeployments, {
      params: { deployment: red.id, other: blue.id },
    });
    expect(changes).toEqual([
      {
        path: "image",
        kind: "changed",
        before: `sha256:${"a".repeat(64)}`,
        after: `sha256:${"b".repeat(64)}`,
      },
      { path: "variables.COLOUR", kind: "changed", before: "red", after: "blue" },
    ]);
  });

  test("is waited for: the answer comes with the change", async () => {
    const { ref } = await aProject(world);
    const made = await deploy(ref, digest("a"));
    const waiting = world.owner(deployments.getDeployment, {
      params: { deployment: made.id },
      query: { seen: made.revision, wait: 30 },
    });
    await report(world, made);
    expect((await waiting).status).toBe("deployed");
  });

  test("is not replaced when its service is renamed, scaled, or given other drain", async () => {
    const { ref, service } = await aProject(world);
    await report(world, await deploy(ref, digest("a")));
    const before = (await desired(ref))!;
    await world.owner(services.updateService, {
      params: ref,
      query: {},
      body: { name: "shop", settings: { replicas: 3, drainSeconds: 5 } },
    });
    const after = (await desired({ ...ref, service: "shop" }))!;
    expect(after).toEqual({
      ...before,
      service_name: "shop",
      replicas: 3,
      drain_seconds: 5,
      hostname: `shop-${ref.project}.localhost`,
      hostnames: [`shop-${ref.project}.localhost`],
    });
    expect(after.service_id).toBe(service.id);
  });

  test("follows a change of tier with the image that runs", async () => {
    const { ref } = await aProject(world);
    const made = await deploy(ref, digest("a"));
    await report(world, made);
    await world.owner(services.updateService, {
      params: ref,
      query: {},
      body: { settings: { tier: "nova" } },
    });
    expect(await desired(ref)).toMatchObject({
      tier: "nova",
      image: digest("a"),
      resources: { cpu_millis: 500 },
    });
    expect((await desired(ref))?.provenance.deployment_id).not.toBe(made.id);
  });

  test("of what was never deployed is refused with the way to do it", async () => {
    const { ref } = await aProject(world);
    await expect(
      world.owner(deployments.createDeployment, { params: ref, query: {}, body: {} }),
    ).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("starform up") });
  });
});

describe("variables", () => {
  test("resolve through services and groups, re-deploy who uses them, and hide secrets", async () => {
    const { ref } = await aProject(world);
    const api = { project: ref.project, service: "api" };
    await world.owner(services.createService, { params: { project: ref.project }, body: { name: "api" } });
    await world.owner(variables.createVarGroup, {
      params: { project: ref.project },
      body: { name: "shared", variables: { REGION: "nyc3", KEY: { value: "s3cr3t-value", isSecret: true } } },
    });
    await world.owner(variables.setVariables, {
      params: ref,
      query: {},
      body: {
        variables: {
          API: "${{api.STARFORM_PUBLIC_URL}}/v1?region=${{shared.REGION}}",
          TOKEN: "k-${{shared.KEY}}",
          SELF: "${{API}}#x",
        },
      },
    });
    const shown = await world.owner(variables.listVariables, { params: ref, query: {} });
    const value = (name: string) => shown.items.find((v) => v.name === name);
    expect(value("SELF")?.resolved).toBe(`http://api-${ref.project}.localhost:4402/v1?region=nyc3#x`);
    expect(value("TOKEN")).toMatchObject({ value: "k-${{shared.KEY}}", resolved: null });
    await report(world, await deploy(ref, digest("a")));
    expect((await desired(ref))?.var_groups[0]).toMatchObject({
      variables: { TOKEN: "k-s3cr3t-value" },
      secret_names: ["TOKEN"],
    });
    const before = (await desired(ref))!;
    await world.owner(variables.setVarGroup, {
      params: { project: ref.project, group: "shared" },
      body: { variables: { REGION: "fra1" } },
    });
    const after = (await desired(ref))!;
    expect(after.var_groups[0]?.variables["API"]).toContain("region=fra1");
    expect(after.var_groups[0]?.checksum).not.toBe(before.var_groups[0]?.checksum);
    expect(await desired(api)).toBeUndefined();
    await world.owner(services.updateService, { params: api, query: {}, body: { name: "backend" } });
    expect(
      (await world.owner(variables.listVariables, { params: ref, query: {} })).items.find(
        (v) => v.name === "API",
      )?.value,
    ).toBe("${{backend.STARFORM_PUBLIC_URL}}/v1?region=${{shared.REGION}}");
    expect(world.log()).not.toContain("s3cr3t-value");
  });

  test.each([
    ["a cycle", { A: "${{B}}", B: "${{A}}" }, /in a circle: web\.A → web\.B → web\.A/],
    ["a missing name", { A: "${{NOBODY}}" }, /web\.A refers to web\.NOBODY, which does not exist/],
    ["a missing service", { A: "${{nobody.URL}}" }, /no service or var group of that name/],
    ["a reserved name", { STARFORM_X: "1" }, /STARFORM_X is told by the platform/],
    ["a NUL", { A: "x\0y" }, /NUL/],
    ["a megabyte", { A: "x".repeat(2 ** 20) }, /65,536/],
    ["a wrong name", { "A-B": "1" }, /letters, digits and underscores/],
  ])("with %s are refused with the way out, and nothing is changed", async (_, changes, message) => {
    const { ref } = await aProject(world);
    await world.owner(variables.setVariables, { params: ref, query: {}, body: { variables: { KEPT: "1" } } });
    await expect(
      world.owner(variables.setVariables, { params: ref, query: {}, body: { variables: changes as never } }),
    ).rejects.toMatchObject({ code: "invalid", message: expect.stringMatching(message) });
    expect(
      (await world.owner(variables.listVariables, { params: ref, query: {} })).items.map((v) => v.name),
    ).toEqual(["KEPT"]);
  });

  test.each([
    ["a NUL", "hush-\0-hush", /NUL/],
    ["a megabyte", "hush-".repeat(2 ** 18), /65,536/],
  ])("refuse a secret with %s without saying it, alone and in a group", async (_, value, message) => {
    const { ref } = await aProject(world);
    const group = { project: ref.project, group: "shared" };
    const kept = { KEPT: { value: "1", isSecret: true } };
    await world.owner(variables.setVariables, { params: ref, query: {}, body: { variables: kept } });
    await world.owner(variables.createVarGroup, { params: ref, body: { name: "shared", variables: kept } });
    const body = { variables: { TOKEN: { value, isSecret: true } } };
    for (const ask of [
      () => world.owner(variables.setVariables, { params: ref, query: {}, body }),
      () => world.owner(variables.setVarGroup, { params: group, body }),
      () => world.owner(variables.createVarGroup, { params: ref, body: { name: "other", ...body } }),
    ]) {
      const error = await ask().then(String, (fault: Fault) => fault);
      expect(error).toMatchObject({ code: "invalid", message: expect.stringMatching(message) });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hush");
    }
    const left = await world.owner(variables.listVariables, { params: ref, query: {} });
    const { entries: grouped } = await world.owner(variables.getVarGroup, { params: group });
    expect([left.items, grouped].map((list) => list.map(({ name }) => name))).toEqual([["KEPT"], ["KEPT"]]);
    expect(world.log()).not.toContain("hush");
  });

  test("keep newlines and hold a reveal in the audit", async () => {
    const { ref } = await aProject(world);
    await world.owner(variables.setVariables, {
      params: ref,
      query: {},
      body: { variables: { PEM: { value: "a\nb", isSecret: true } } },
    });
    expect((await world.owner(variables.listVariables, { params: ref, query: {} })).items).toMatchObject([
      { name: "PEM", value: null, isSecret: true },
    ]);
    expect(
      (await world.owner(variables.revealVariable, { params: { ...ref, name: "PEM" }, query: {} })).value,
    ).toBe("a\nb");
    const { items } = await world.owner((await import("@starform/contract/workspaces")).listAudit, {
      params: { workspace: "home" },
      query: { project: ref.project },
    });
    expect(items[0]).toMatchObject({ event: "secret.revealed", subject: "web.PEM" });
  });
});

describe("the contract with Shuttle", () => {
  const ask = (headers: Record<string, string>, wait = 0) =>
    fetch(`${world.url}/api/v1/clusters/${clusterId}/desired-state?wait=${wait}`, {
      headers: { authorization: `Bearer ${clusterToken}`, ...headers },
    });

  test("answers 304 to the ETag it gave, and a waiting cluster within the second of a change", async () => {
    const { ref } = await aProject(world);
    const first = await ask({});
    const etag = first.headers.get("etag")!;
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    const { version } = (await first.json()) as { version: number };
    expect((await ask({ "if-none-match": etag })).status).toBe(304);
    const waiting = ask({ "if-none-match": etag }, 30);
    await deploy(ref, digest("a"));
    const next = await waiting;
    expect(next.status).toBe(200);
    expect(((await next.json()) as { version: number }).version).toBeGreaterThan(version);
  });

  test("opens nothing to another token, and no other cluster to its own", async () => {
    expect((await ask({ authorization: `Bearer ${ownerToken}` })).status).toBe(401);
    const other = await fetch(
      `${world.url}/api/v1/clusters/018f0000-0000-7000-8000-0000000000ff/desired-state`,
      { headers: { authorization: `Bearer ${clusterToken}` } },
    );
    expect(other.status).toBe(404);
  });

  test("counts a snapshot once, and takes each report of a batch that can be taken", async () => {
    const { ref, project, service } = await aProject(world);
    const made = await deploy(ref, digest("a"));
    const snapshot = {
      snapshot_id: `s-${ref.project}`,
      workspace_id: project.workspaceId,
      project_id: project.id,
      environment: "production",
      service_id: service.id,
      pod_id: "p",
      tier: "nova" as const,
      phase: "running",
      snapshot_timestamp: new Date().toISOString(),
      cpu_request_millis: 500,
      memory_request_bytes: 2 ** 30,
    };
    const send = () =>
      world.cluster(clusters.postSnapshots, { params: { id: clusterId }, body: { snapshots: [snapshot] } });
    expect(await send()).toEqual({ accepted: 1, repeated: 0, refused: [] });
    expect(await send()).toEqual({ accepted: 0, repeated: 1, refused: [] });
    const one = {
      service_id: service.id,
      environment: "production",
      deployment_id: made.id,
      observed_version: 1,
      phase: "running" as const,
      ready_replicas: 1,
      desired_replicas: 1,
      restarts: 0,
      reason: null,
      serving_deployment_id: made.id,
    };
    const stranger = { ...one, service_id: "018f0000-0000-7000-8000-0000000000ff" };
    const answer = await world.cluster(clusters.postStatus, {
      params: { id: clusterId },
      body: { reports: [stranger, one] },
    });
    expect(answer).toMatchObject({ accepted: 1, refused: [{ service_id: stranger.service_id }] });
    expect((await get(made.id)).status).toBe("deployed");
  });

  test("tells of a service that was deleted that it is", async () => {
    const { ref } = await aProject(world);
    await deploy(ref, digest("a"));
    expect(await desired(ref)).toMatchObject({ deleted: false });
    await world.owner(services.deleteService, { params: ref });
    expect(await desired(ref)).toMatchObject({ deleted: true });
  });
});

describe("the API", () => {
  test("creates once for one Idempotency-Key, and refuses the key for another request", async () => {
    const create = (slug: string) =>
      world.owner(projects.createProject, { body: { slug } }, { idempotencyKey: "key-1" });
    const first = await create("once-only");
    expect(await create("once-only")).toEqual(first);
    await expect(create("twice")).rejects.toMatchObject({ code: "idempotency_mismatch" });
    await expect(world.owner(projects.createProject, { body: { slug: "once-only" } })).rejects.toMatchObject({
      code: "name_taken",
    });
  });

  test("pages with cursors", async () => {
    for (let i = 0; i < 3; i++) await world.owner(projects.createProject, { body: { slug: `paged-${i}` } });
    const first = await world.owner(projects.listProjects, { query: { limit: 2 } });
    const second = await world.owner(projects.listProjects, {
      query: { limit: 2, cursor: first.nextCursor! },
    });
    expect([...first.items, ...second.items].slice(0, 3).map((p) => p.slug)).toEqual([
      "paged-2",
      "paged-1",
      "paged-0",
    ]);
  });

  test("tells every error as a problem document of the closed list", async () => {
    expect([...problemCodes].sort()).toEqual(Object.keys(faultCodes).sort());
    for (const [path, init, status] of [
      ["/v1/nothing", {}, 404],
      ["/v1/projects", { method: "POST", body: "{", headers: { "content-type": "application/json" } }, 400],
      [
        "/v1/projects",
        { method: "POST", body: '{"slug":"Not A Slug"}', headers: { "content-type": "application/json" } },
        422,
      ],
      [
        "/v1/projects",
        {
          method: "POST",
          body: '{"slug":"fine","extra":1}',
          headers: { "content-type": "application/json" },
        },
        422,
      ],
      [
        "/v1/projects",
        {
          method: "POST",
          body: JSON.stringify({ slug: "x".repeat(5e6) }),
          headers: { "content-type": "application/json" },
        },
        413,
      ],
      ["/v1/deployments/none", {}, 422],
    ] as const) {
      const response = await fetch(world.url + path, {
        ...init,
        headers: { authorization: `Bearer ${ownerToken}`, ...("headers" in init ? init.headers : {}) },
      });
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toContain("application/problem+json");
      expect(await response.json()).toMatchObject({ status, detail: expect.stringMatching(/.{10}/) });
    }
  });

  test("describes every route in OpenAPI 3.1 and in the reference", async () => {
    const openapi = (await (await fetch(`${world.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { operationId?: string }>>;
    };
    expect(openapi.openapi).toBe("3.1.0");
    const ids = Object.values(openapi.paths).flatMap((path) =>
      Object.values(path).map((operation) => operation.operationId),
    );
    const page = await (await fetch(`${world.url}/docs`)).text();
    expect(allRoutes.length).toBeGreaterThan(50);
    for (const route of allRoutes) {
      expect(ids).toContain(route.id);
      expect(page).toContain(`id="${route.id}"`);
    }
  });

  test("makes an environment from another one by its name or its id", async () => {
    const { ref } = await aProject(world);
    const params = { project: ref.project };
    const body = { variables: { GREETING: "hello" } };
    await world.owner(variables.setVariables, { params: ref, query: {}, body });
    const { items } = await world.owner(projects.listEnvironments, { params });
    for (const [name, from] of [
      ["by-name", items[0]!.name],
      ["by-id", items[0]!.id],
    ] as const) {
      await world.owner(projects.createEnvironment, { params, body: { name, from } });
      const copied = await world.owner(variables.listVariables, {
        params: ref,
        query: { environment: name },
      });
      expect(copied.items).toMatchObject([{ name: "GREETING", value: "hello" }]);
    }
    // And what is asked of one by its id is what is asked of it by its name.
    const all = await world.owner(projects.listEnvironments, { params });
    const { id, name } = all.items.find((each) => each.name === "by-id")!;
    const [byId, byName] = await Promise.all(
      [id, name].map((environment) =>
        world.owner(services.getService, { params: ref, query: { environment } }),
      ),
    );
    expect(byId).toEqual(byName);
    expect(byId!.environment).toBe("by-id");
  });

  test("publishes the schema of starform.json where the contract says, to anybody", async () => {
    const answer = await fetch(`${world.url}${starformSchemaPath}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual(starformJsonSchema());
  });

  test("takes an upload as the same source when the folder is the same, and refuses what is no archive", async () => {
    const { ref } = await aProject(world);
    const send = (body: Uint8Array) =>
      fetch(`${world.url}/v1/projects/${ref.project}/services/${ref.service}/sources`, {
        method: "POST",
        headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/gzip" },
        body: body as BodyInit,
      });
    const empty = gzipSync(Buffer.alloc(1_024));
    expect((await send(Buffer.from("this is no archive"))).status).toBeGreaterThanOrEqual(400);
    const answers = [await send(empty), await send(empty)];
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    expect(bodies[0]).toEqual(bodies[1]);
  });
});
