import type { Call } from "@starform/client/client";
import { createCluster, listClusters, rotateClusterToken } from "@starform/contract/cluster-records";
import { getDesiredState, postCapacity, postRegister } from "@starform/contract/clusters";
import { createToken } from "@starform/contract/identity";
import { listAudit } from "@starform/contract/workspaces";
import { signerOf } from "@starform/std/signature";
import { desiredStatePurpose } from "@starform/contract/clusters";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aMember, aProject, clusterId, openApiWorld, signingKey, type ApiWorld } from "./api-world.ts";

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const make = () => world.owner(createCluster, { body: { region: "nyc3" } });
const fetchWith = (token: string, id: string) =>
  world.as(token)(getDesiredState, { params: { id }, query: { wait: 0 } });

describe("the records of clusters", () => {
  test("give a new cluster a token that opens its own desired state and no other's", async () => {
    const { cluster, token, signingKeys } = await make();
    expect(cluster).toMatchObject({
      region: "nyc3",
      projects: 0,
      pods: null,
      lastSeenAt: null,
      shuttleVersion: null,
    });
    expect(signingKeys).toBe(signerOf(signingKey, desiredStatePurpose).publicKeys);
    expect(await fetchWith(token, cluster.id)).toMatchObject({ cluster_id: cluster.id, services: [] });
    await expect(fetchWith(token, clusterId)).rejects.toMatchObject({ code: "not_found" });
  });

  test("tell what a cluster said of itself", async () => {
    const { cluster, token } = await make();
    const call = world.as(token);
    const params = { id: cluster.id };
    await call(postRegister, {
      params,
      body: {
        shuttle_version: "0.1.0",
        runtime: "kubernetes",
        kubernetes_version: "v1.36.2",
        capabilities: [],
        region: "nyc3",
      },
    });
    await call(postCapacity, {
      params,
      body: {
        cluster_id: cluster.id,
        current_pod_count: 12,
        soft_limit: 1_000,
        timestamp: new Date().toISOString(),
      },
    });
    await aProject(world);
    const { items } = await world.owner(listClusters, {});
    expect(items.find(({ id }) => id === cluster.id)).toMatchObject({
      runtime: "kubernetes",
      shuttleVersion: "0.1.0",
      kubernetesVersion: "v1.36.2",
      pods: 12,
      podsSoftLimit: 1_000,
      lastSeenAt: expect.any(String) as string,
      // It is the only one that was heard of.
      projects: 1,
    });
    expect(items[0]).toMatchObject({ id: clusterId, projects: 0 });
  });

  test("rotate a token: the old one opens nothing from then on, and the log never holds either", async () => {
    const { cluster, token: old } = await make();
    const { token } = await world.owner(rotateClusterToken, { params: { cluster: cluster.id } });
    expect(token).not.toBe(old);
    await expect(fetchWith(old, cluster.id)).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await fetchWith(token, cluster.id)).toMatchObject({ cluster_id: cluster.id });
    await expect(
      world.owner(rotateClusterToken, { params: { cluster: "018f0000-0000-7000-8000-00000000ffff" } }),
    ).rejects.toMatchObject({ code: "not_found" });
    expect(world.log()).not.toContain(token);
    expect(world.log()).not.toContain(old);
  });

  test("are audited where those who run the platform look", async () => {
    const { cluster } = await make();
    await world.owner(rotateClusterToken, { params: { cluster: cluster.id } });
    const { items } = await world.owner(listAudit, { params: { workspace: "home" } });
    expect(items.filter(({ subject }) => subject === cluster.id).map(({ event }) => event)).toEqual([
      "cluster.token_rotated",
      "cluster.created",
    ]);
  });

  test("make one cluster of a repeated request", async () => {
    const idempotencyKey = crypto.randomUUID();
    const [first, again] = [
      await world.owner(createCluster, { body: { region: "fra1" } }, { idempotencyKey }),
      await world.owner(createCluster, { body: { region: "fra1" } }, { idempotencyKey }),
    ];
    expect(again).toEqual(first);
  });
});

describe("nobody but the platform's owner", () => {
  const refused = async (call: Call) => {
    await expect(call(listClusters, {})).rejects.toMatchObject({ code: "forbidden" });
    await expect(call(createCluster, { body: { region: "nyc3" } })).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(call(rotateClusterToken, { params: { cluster: clusterId } })).rejects.toMatchObject({
      code: "forbidden",
    });
  };

  test("sees or makes clusters: not an admin of the owner's workspace, not the owner of another", async () => {
    await refused(await aMember(world, "admin@example.org", "admin"));
    const other = await aMember(world, "other@example.org", "member");
    await world.owner(listClusters, {});
    await refused(other);
  });

  test("nor a token of the owner's for one project, or for reading", async () => {
    const { project } = await aProject(world);
    const token = async (body: object) =>
      (
        await world.owner(createToken, {
          body: { name: crypto.randomUUID(), scope: "write", ...body } as never,
        })
      ).secret;
    await refused(world.as(await token({ project: project.slug })));
    const reading = world.as(await token({ scope: "read" }));
    expect((await reading(listClusters, {})).items.length).toBeGreaterThan(0);
    await expect(reading(createCluster, { body: { region: "nyc3" } })).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});
