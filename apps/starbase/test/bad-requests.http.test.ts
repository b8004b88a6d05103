import { Agent, request } from "node:http";
import * as deployments from "@starform/contract/deployments";
import * as logs from "@starform/contract/logs";
import * as projects from "@starform/contract/projects";
import * as workspaces from "@starform/contract/workspaces";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aProject, openApiWorld, ownerToken, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

test("refuses a cursor that no list gave, on every list", async () => {
  const { ref } = await aProject(world);
  const query = { cursor: "no-id" };
  const refused = { code: "invalid", message: expect.stringContaining("nextCursor") };
  await expect(world.owner(projects.listProjects, { query })).rejects.toMatchObject(refused);
  await expect(world.owner(deployments.listDeployments, { params: ref, query })).rejects.toMatchObject(
    refused,
  );
  await expect(
    world.owner(workspaces.listAudit, { params: { workspace: "home" }, query }),
  ).rejects.toMatchObject(refused);
});

test("refuses a span of log lines that ends before it begins", async () => {
  const { ref } = await aProject(world);
  const [early, late] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"];
  await expect(
    world.owner(logs.searchLogs, { params: ref, query: { since: late, until: early } }),
  ).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining("query.until") });
});

test("answers a NUL character as the caller's mistake", async () => {
  await expect(world.owner(projects.getProject, { params: { project: "a\0b" } })).rejects.toMatchObject({
    code: "malformed",
  });
});

test.each([
  ["a key that is not known", { body: '{"slug":"x","nope":1}' }, 422, "body: may not hold nope"],
  ["a value of another type", { body: '{"slug":7}' }, 422, "body.slug: must be a text, and is a number"],
  ["no JSON", { body: '{"slug":' }, 400, "the body is not JSON: "],
  [
    "another type of body",
    { type: "application/x-www-form-urlencoded", body: "slug=1" },
    400,
    "send JSON, as Content-Type",
  ],
  ["a number that is none", { path: "/v1/projects?limit=abc" }, 422, "query.limit: must be a number"],
  [
    "an address that cannot be read",
    { path: "/v1/projects/%ff/services" },
    400,
    "this address cannot be read",
  ],
] as const)(
  "answers %s with a problem that says what to do",
  async (_, { path, body, type }: Asked, status, words) => {
    const answer = await fetch(world.url + (path ?? "/v1/projects"), {
      method: body ? "POST" : "GET",
      headers: {
        authorization: `Bearer ${ownerToken}`,
        ...(body && { "content-type": type ?? "application/json" }),
      },
      ...(body && { body }),
    });
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect([answer.status, await answer.json()]).toMatchObject([
      status,
      { status, title: expect.stringMatching(/^[A-Z]/), detail: expect.stringContaining(words) },
    ]);
  },
);
type Asked = { readonly path?: string; readonly body?: string; readonly type?: string };

test("hangs nothing of a request on the connection that brings the next", async () => {
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
  process.on("warning", onWarning);
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), {
    [Symbol.dispose]: () => agent.destroy(),
  });
  for (let i = 0; i < 15; i++)
    await new Promise<void>((resolve, reject) =>
      request(`${world.url}/v1/auth/sessions`, {
        agent,
        method: "POST",
        headers: { "content-type": "application/json" },
      })
        .on("response", (response) => response.resume().on("end", resolve))
        .on("error", reject)
        .end(JSON.stringify({ code: "wrong" })),
    );
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
});
