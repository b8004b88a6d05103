import { allRoutes } from "@starform/contract/all-routes";
import * as deployments from "@starform/contract/deployments";
import * as identity from "@starform/contract/identity";
import { putGitLogin } from "@starform/contract/git-hosts";
import type { Problem } from "@starform/contract/problems";
import * as projects from "@starform/contract/projects";
import { createProposal } from "@starform/contract/proposals";
import { putRegistry } from "@starform/contract/registries";
import type { Route } from "@starform/contract/route";
import * as services from "@starform/contract/services";
import * as variables from "@starform/contract/variables";
import * as workspaces from "@starform/contract/workspaces";
import { pathOf } from "@starform/client/client";
import { uuid } from "@starform/std/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import {
  aMember,
  aProject,
  aStranger,
  clusterId,
  openApiWorld,
  ownerToken,
  type ApiWorld,
} from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  // Docker's, for there are prebuilt images to deploy without a build.
  world = await openApiWorld({ runtime: "docker" });
});
afterAll(() => world[Symbol.asyncDispose]());

describe("who may do what", () => {
  test("tells a stranger of another workspace what an unknown name is told, on every route that names something", async () => {
    const { stranger, real, absent } = await aStrangersWorld();
    const token = await tokenOf(stranger);
    const walked = allRoutes.filter(
      ({ id, path, audience }) => path.includes("/:") && audience === "actor" && !(id in byNature),
    );
    expect(walked.length).toBeGreaterThan(50);
    for (const route of walked) {
      const named = await ask(route, pick(real, route), token);
      expect({ route: route.id, ...named }).toMatchObject({ status: 404, code: "not_found" });
      const unknown = await ask(route, pick({ ...real, ...absent }, route), token);
      expect({ route: route.id, ...named }).toEqual({ route: route.id, ...unknown });
    }
    expect((await world.owner(projects.getProject, { params: { project: real["project"]! } })).slug).toBe(
      real["project"],
    );
  });

  test("compares nobody's deployment with one of another workspace", async () => {
    const { stranger, real } = await aStrangersWorld();
    const own = { project: "theirs", service: "web" };
    await stranger(projects.createProject, { body: { slug: own.project } });
    await stranger(services.createService, { params: { project: own.project }, body: { name: own.service } });
    const deployment = (await aDeployment(stranger, own)).id;
    const diff = allRoutes.find(({ id }) => id === "diffDeployments")!;
    const token = await tokenOf(stranger);
    const told = await ask(diff, { deployment, other: real["other"]! }, token);
    expect(told).toMatchObject({ status: 404, code: "not_found" });
    expect(await ask(diff, { deployment, other: nobodys }, token)).toEqual(told);
  });

  test("tells nobody but the platform's owner whether there is a cluster", async () => {
    const token = await tokenOf(await aStranger(world, "not-the-operator@example.org"));
    const rotate = allRoutes.find(({ id }) => id === "rotateClusterToken")!;
    const told = await ask(rotate, { cluster: clusterId }, token);
    expect(told).toMatchObject({ status: 403, code: "forbidden" });
    expect(await ask(rotate, { cluster: nobodys }, token)).toEqual(told);
  });

  test("lets a viewer read and refuses them every change", async () => {
    const { ref } = await aProject(world);
    const viewer = await aMember(world, "viewer@example.org", "member", {
      project: ref.project,
      role: "viewer",
    });
    expect((await viewer(services.getService, { params: ref, query: {} })).name).toBe("web");
    await expect(
      viewer(variables.setVariables, { params: ref, query: {}, body: { variables: { A: "1" } } }),
    ).rejects.toMatchObject({ code: "forbidden" });
    await expect(viewer(services.deleteService, { params: ref })).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(
      viewer(deployments.createDeployment, { params: ref, query: {}, body: {} }),
    ).rejects.toMatchObject({ code: "forbidden" });
    await expect(
      viewer(variables.revealVariable, { params: { ...ref, name: "A" }, query: {} }),
    ).rejects.toMatchObject({ code: "forbidden" });
  });

  test("keeps developers out of what is protected", async () => {
    const { ref } = await aProject(world);
    const developer = await aMember(world, "developer@example.org", "member", {
      project: ref.project,
      role: "developer",
    });
    const set = () =>
      developer(variables.setVariables, { params: ref, query: {}, body: { variables: { A: "1" } } });
    expect((await set()).items).toHaveLength(1);
    await world.owner(projects.updateEnvironment, {
      params: { project: ref.project, environment: "production" },
      body: { isProtected: true },
    });
    await expect(set()).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("protected"),
    });
  });

  test("keeps developers from changing what is protected by a way around: name, source, a group it refers to", async () => {
    const { ref, service } = await aProject(world);
    const params = { project: ref.project };
    await world.owner(projects.createEnvironment, { params, body: { name: "staging" } });
    await world.owner(variables.createVarGroup, { params, body: { name: "shared", variables: { A: "1" } } });
    await world.owner(variables.setVariables, {
      params: ref,
      query: {},
      body: { variables: { B: "${{shared.A}}" } },
    });
    const developer = await aMember(world, "around@example.org", "member", {
      project: ref.project,
      role: "developer",
    });
    const staging = { params: ref, query: { environment: "staging" } };
    const setGroup = (changes: Record<string, string>) =>
      developer(variables.setVarGroup, {
        params: { ...params, group: "shared" },
        body: { variables: changes },
      });
    await setGroup({ A: "2" });
    await world.owner(projects.updateEnvironment, {
      params: { ...params, environment: "production" },
      body: { isProtected: true },
    });
    const refused = { code: "forbidden", message: expect.stringContaining("protected") };
    await expect(setGroup({ A: "3" })).rejects.toMatchObject(refused);
    await expect(
      developer(services.updateService, { ...staging, body: { name: "renamed" } }),
    ).rejects.toMatchObject(refused);
    await expect(
      developer(services.updateService, {
        ...staging,
        body: { source: { kind: "git", url: "https://example.org/other.git" } },
      }),
    ).rejects.toMatchObject(refused);
    // What does not reach it stays theirs to change.
    await setGroup({ UNUSED: "1" });
    await developer(services.updateService, { ...staging, body: { settings: { replicas: 2 } } });
    const { items } = await world.owner(variables.listVariables, { params: ref, query: {} });
    expect(items).toMatchObject([{ name: "B", resolved: "2" }]);
    expect((await world.owner(services.getService, { params: ref, query: {} })).id).toBe(service.id);
  });

  test("lets nobody but an administrator name a folder of the machine as a source", async () => {
    const { ref } = await aProject(world);
    const email = "local@example.org";
    const developer = await aMember(world, email, "member", { project: ref.project, role: "developer" });
    const source = { kind: "git", url: "file:///srv/repository.git" } as const;
    const create = (call: ApiWorld["owner"], name: string) =>
      call(services.createService, { params: { project: ref.project }, body: { name, source } });
    await expect(create(developer, "theirs")).rejects.toMatchObject({ code: "forbidden" });
    await expect(
      developer(services.updateService, { params: ref, query: {}, body: { source } }),
    ).rejects.toMatchObject({ code: "forbidden" });
    expect((await create(world.owner, "ours")).source).toEqual(source);
  });

  test("shows a billing member no project", async () => {
    const { ref } = await aProject(world);
    const billing = await aMember(world, "billing@example.org", "billing");
    expect((await billing(projects.listProjects, { query: {} })).items).toEqual([]);
    await expect(billing(projects.getProject, { params: { project: ref.project } })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("keeps a token to its project and a reading token to reading", async () => {
    const { ref } = await aProject(world);
    const other = await aProject(world);
    const limited = await world.owner(identity.createToken, { body: { name: "ci", project: ref.project } });
    const ci = world.as(limited.secret);
    expect((await ci(projects.listProjects, { query: {} })).items.map((p) => p.slug)).toEqual([ref.project]);
    await expect(ci(projects.getProject, { params: { project: other.ref.project } })).rejects.toMatchObject({
      code: "not_found",
    });
    const reading = world.as(
      (await world.owner(identity.createToken, { body: { name: "r", scope: "read" } })).secret,
    );
    await expect(reading(projects.createProject, { body: { slug: "no-no" } })).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  test("gives a limited token no way to become more", async () => {
    const { ref } = await aProject(world);
    const { secret } = await world.owner(identity.createToken, {
      body: { name: "short", project: ref.project, expiresInDays: 1 },
    });
    const other = await world.owner(identity.createToken, { body: { name: "not its business" } });
    const limited = world.as(secret);
    await expect(limited(identity.createLoginLink, {})).rejects.toMatchObject({ code: "forbidden" });
    await expect(
      limited(workspaces.listAudit, { params: { workspace: "home" }, query: {} }),
    ).rejects.toMatchObject({ code: "forbidden" });
    expect((await limited(identity.listTokens, {})).items.map((t) => t.name)).toEqual(["short"]);
    await expect(limited(identity.deleteToken, { params: { token: other.id } })).rejects.toMatchObject({
      code: "not_found",
    });
    const child = await limited(identity.createToken, { body: { name: "child" } });
    expect(child.projectId).not.toBeNull();
    expect(Date.parse(child.expiresAt!)).toBeLessThanOrEqual(Date.now() + 86_400_000);
  });

  test("revokes a token at once", async () => {
    const token = await world.owner(identity.createToken, { body: { name: "gone" } });
    const call = world.as(token.secret);
    await call(identity.getMe, {});
    await world.owner(identity.deleteToken, { params: { token: token.id } });
    await expect
      .poll(
        () =>
          call(identity.getMe, {}).then(
            () => "open",
            (e: { code: string }) => e.code,
          ),
        { timeout: 5_000 },
      )
      .toBe("unauthenticated");
  });

  test("takes access and tokens away with the membership", async () => {
    const { ref } = await aProject(world);
    const leaver = await aMember(world, "leaver@example.org", "member", {
      project: ref.project,
      role: "admin",
    });
    await leaver(projects.getProject, { params: { project: ref.project } });
    await world.owner(workspaces.deleteMember, {
      params: { workspace: "home", email: "leaver@example.org" },
    });
    await expect
      .poll(
        () =>
          leaver(projects.getProject, { params: { project: ref.project } }).then(
            () => "open",
            (e: { code: string }) => e.code,
          ),
        { timeout: 5_000 },
      )
      .toBe("unauthenticated");
    await expect(
      world.owner(workspaces.putMember, {
        params: { workspace: "home", email: "owner@starform.localhost" },
        body: { role: "member" },
      }),
    ).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("sessions", () => {
  test("open with a link that is good once, refresh, and end when a refresh token is used twice", async () => {
    const link = await world.owner(identity.createLoginLink, {});
    const anybody = world.as(undefined);
    const session = await anybody(identity.signIn, { body: { code: link.code } });
    await expect(anybody(identity.signIn, { body: { code: link.code } })).rejects.toMatchObject({
      code: "unauthenticated",
    });
    const next = await anybody(identity.refreshSession, { body: { refreshToken: session.refreshToken } });
    expect((await world.as(next.accessToken)(identity.getMe, {})).via).toBe("session");
    await expect(
      anybody(identity.refreshSession, { body: { refreshToken: session.refreshToken } }),
    ).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(
      anybody(identity.refreshSession, { body: { refreshToken: next.refreshToken } }),
    ).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("refuse a token whose signature was touched", async () => {
    const { code } = await world.owner(identity.createLoginLink, {});
    const { accessToken } = await world.as(undefined)(identity.signIn, { body: { code } });
    const [head, body, signature] = accessToken.split(".");
    const forged = `${head}.${body}.${signature!.startsWith("A") ? "B" : "A"}${signature!.slice(1)}`;
    await expect(world.as(forged)(identity.getMe, {})).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("writes no token into the log", async () => {
    await world
      .as("sf_wrong-token-that-nobody-has")(identity.getMe, {})
      .catch(() => undefined);
    await world.owner(projects.getProject, { params: { project: "nobody-has-this" } }).catch(() => undefined);
    expect(world.log()).not.toContain(ownerToken);
    expect(world.log()).not.toContain("sf_wrong-token");
  });
});

/** Routes that answer a stranger otherwise than that there is no such thing. */
const byNature: Record<string, string> = {
  rotateClusterToken: "clusters belong to no workspace: everybody but the platform's owner is refused alike",
};

const nobodys = "018f0000-0000-7000-8000-00000000000a";

/** A project of the owner's with one of everything, and somebody whose workspace is another. */
async function aStrangersWorld() {
  const { project, service, ref } = await aProject(world);
  const params = { project: ref.project };
  const [first, second] = [await aDeployment(world.owner, ref), await aDeployment(world.owner, ref)];
  await world.owner(variables.createVarGroup, { params, body: { name: "shared", variables: { A: "1" } } });
  await world.owner(variables.setVariables, { params: ref, query: {}, body: { variables: { A: "1" } } });
  const login = { username: "ada", password: "secret" };
  await world.owner(putRegistry, { params: { ...params, host: "registry.example" }, body: login });
  await world.owner(putGitLogin, { params: { ...params, host: "registry.example" }, body: login });
  const proposal = await world.owner(createProposal, {
    params,
    body: { url: "https://git.example/app.git" },
  });
  const token = await world.owner(identity.createToken, { body: { name: `of-${ref.project}` } });
  const email = `of-${ref.project}@example.org`;
  await aMember(world, email, "admin", { project: ref.project, role: "admin" });
  const real: Record<string, string> = {
    project: ref.project,
    service: ref.service,
    environment: "production",
    group: "shared",
    name: "A",
    email,
    metric: "cpu",
    host: "registry.example",
    proposal: proposal.id,
    workspace: "home",
    token: token.id,
    deployment: first.id,
    other: second.id,
    build: await aBuildOf(project, service.id),
  };
  const absent: Record<string, string> = {
    project: `not-${ref.project}`,
    workspace: "nowhere",
    token: nobodys,
    deployment: nobodys,
    other: nobodys,
    build: nobodys,
  };
  return { stranger: await aStranger(world, `stranger-to-${ref.project}@example.org`), real, absent };
}

const aDeployment = (call: ApiWorld["owner"], params: { project: string; service: string }) =>
  call(deployments.createDeployment, {
    params,
    query: {},
    body: { image: `registry.test/app@sha256:${"a".repeat(64)}` },
  });

async function aBuildOf(project: { id: string; workspaceId: string }, serviceId: string): Promise<string> {
  await using database = openDatabase({ ...world.config.database, onError: () => undefined });
  const id = uuid();
  await sql`insert into builds (id, workspace_id, project_id, service_id, build_key, info, created_at)
    values (${id}, ${project.workspaceId}, ${project.id}, ${serviceId}, 'k', '{"kind":"plan"}', now())`.execute(
    database.db,
  );
  return id;
}

/** What a route's path names; a name that nothing stands for here is a gap of this test. */
const pick = (from: Readonly<Record<string, string>>, { id, path }: Route): Record<string, string> =>
  Object.fromEntries(
    [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => {
      if (!from[name]) throw new Error(`${id} names a ${name}, of which there is none here: make one`);
      return [name, from[name]];
    }),
  );

/** What a caller is told, with every name that they themselves gave taken out. */
async function ask(route: Route, params: Record<string, string>, token: string) {
  const body = bodyFor(route.id);
  const query = route.id === "deleteProject" ? { confirm: params["project"] } : {};
  const response = await fetch(world.url + pathOf(route, { params, query }), {
    method: route.method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body ? { "content-type": route.form === "bytes" ? "application/gzip" : "application/json" } : {}),
    },
    ...(body ? { body } : {}),
  });
  const { code, detail = "" } = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const given = Object.values(params).toSorted((a, b) => b.length - a.length);
  return {
    status: response.status,
    code,
    detail: given.reduce((text, name) => text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), "…"), detail),
  };
}

const bodies: Record<string, unknown> = {
  createEnvironment: { name: "staging" },
  updateEnvironment: { isProtected: true },
  putProjectMember: { role: "admin" },
  createService: { name: "x" },
  createProposal: { url: "https://git.example/app.git" },
  setVariables: { variables: { A: "1" } },
  createVarGroup: { name: "g" },
  setVarGroup: { variables: { A: "1" } },
  attachVarGroup: {},
  updateService: {},
  createDeployment: {},
  putRegistry: { username: "ada", password: "secret" },
  createRegistryPassword: { access: "push" },
  putGitLogin: { username: "ada", password: "secret" },
  putMember: { role: "admin" },
};
const bodyFor = (id: string): string | undefined =>
  id === "uploadSource" ? "x" : bodies[id] ? JSON.stringify(bodies[id]) : undefined;

/** A fresh token of whoever makes the call. */
const tokenOf = async (call: ApiWorld["owner"]): Promise<string> =>
  (await call(identity.createToken, { body: { name: "t" } })).secret;
