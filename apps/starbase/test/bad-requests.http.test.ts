import { Agent, request } from "node:http";
import * as deployments from "@starform/contract/deployments";
import * as projects from "@starform/contract/projects";
import * as workspaces from "@starform/contract/workspaces";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aProject, openApiWorld, type ApiWorld } from "./api-world.ts";

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

test("answers a NUL character as the caller's mistake", async () => {
  await expect(world.owner(projects.getProject, { params: { project: "a\0b" } })).rejects.toMatchObject({
    code: "malformed",
  });
});

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
