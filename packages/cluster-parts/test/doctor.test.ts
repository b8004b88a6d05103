import { Fault } from "@starform/std/fault";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examineCluster } from "../src/doctor.ts";
import type { DoctorDeps, Finding } from "../src/examination.ts";
import { openRig, type Rig } from "./installed.ts";
import { parameters } from "./samples.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  await rig.bootstrap();
});
afterAll(() => rig[Symbol.asyncDispose]());

const examine = (on: Rig = rig, own: Partial<DoctorDeps> = {}): Promise<readonly Finding[]> =>
  examineCluster(
    {
      kube: on.kube,
      now: () => on.fake.clock.now(),
      askStarbase: async () => ({ version: 7, date: on.fake.clock.now() }),
      ...own,
    },
    () => undefined,
  );
const bad = (findings: readonly Finding[]) => findings.filter(({ level }) => level !== "ok");
/** What a fresh cluster has: no digests here, and no desired state yet. */
const standing = /not by digest|no shared Gateway yet/;
const fresh = (findings: readonly Finding[]) => bad(findings).filter(({ says }) => !standing.test(says));

/** Does damage, looks, and puts it back. */
async function damaged(
  damage: () => Promise<unknown>,
  mend: () => Promise<unknown>,
): Promise<readonly Finding[]> {
  await damage();
  await rig.fake.advance(2_000);
  const found = fresh(await examine());
  await mend();
  await rig.fake.advance(2_000);
  return found;
}
const shuttle = { apiVersion: "apps/v1", kind: "Deployment", namespace: "starform-system", name: "shuttle" };

describe("the doctor", () => {
  test("finds nothing wrong on a fresh cluster, and says what it looked at", async () => {
    const findings = await examine();
    expect(fresh(findings)).toEqual([]);
    expect([...new Set(findings.map(({ check }) => check))]).toEqual([
      "versions",
      "parts",
      "gateway",
      "metrics",
      "labels",
      "rights",
      "pod security",
      "storage",
      "clocks",
      "platform lines",
      "starbase",
    ]);
    expect(findings.map(({ says }) => says).join("\n")).toMatch(/Shuttle has all \d{2,} rights/);
    for (const { mend } of bad(findings)) expect(mend).toMatch(/\w/);
    expect(bad(await examine())).toHaveLength(2);
    expect(JSON.stringify(findings)).not.toContain(parameters().token);
  });

  test("says that nobody's signature is asked for, and where the keys are", async () => {
    await using unsigned = await openRig();
    await unsigned.bootstrap({ signingKeys: undefined });
    expect(fresh(await examine(unsigned))).toEqual([
      {
        check: "starbase",
        level: "warning",
        says: "Shuttle believes what Starbase decides without its signature",
        mend: expect.stringContaining("--signing-keys") as string,
      },
    ]);
  });

  test("changes nothing", async () => {
    rig.fake.requests.clear();
    await examine();
    const writes = rig.fake.requests.list({ verb: "create,update,patch,delete" });
    const kept = writes.filter(
      ({ attempt, query }) => !attempt.resource.endsWith("reviews") && !query.includes("dryRun=All"),
    );
    expect(writes.length).toBeGreaterThan(20);
    expect(kept).toEqual([]);
  });

  test("names what was deleted, and that bootstrap brings it back", async () => {
    const service = {
      apiVersion: "v1",
      kind: "Service",
      namespace: "starform-system",
      name: "kube-state-metrics",
    };
    const found = await damaged(
      () => rig.kube.delete(service),
      () => rig.bootstrap(),
    );
    expect(found).toEqual([
      expect.objectContaining({
        level: "error",
        says: "kube-state-metrics: Service starform-system/kube-state-metrics is missing",
        mend: expect.stringContaining("bootstrap again") as string,
      }),
    ]);
  });

  test("says of a part of which nothing or much is missing no more than that", async () => {
    await using part = await openRig();
    await part.bootstrap();
    const { items } = await part.kube.list(
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" },
      { metadataOnly: true },
    );
    const roles = items.filter(({ metadata }) => metadata.name.startsWith("starform-kube-state-metrics"));
    for (const { apiVersion, kind, metadata } of [
      ...roles,
      { apiVersion: "v1", kind: "Service", metadata: { name: "kube-state-metrics" } },
    ])
      await part.kube.delete({ apiVersion, kind, name: metadata.name, namespace: "starform-system" });
    const lost = fresh(await examine(part)).filter(({ says }) => says.includes("missing"));
    expect(lost.map(({ says }) => says)).toEqual([
      expect.stringMatching(/^kube-state-metrics: .*ClusterRole .* and Service .* are missing$/),
    ]);
  });

  test("tells why a part is not ready", async () => {
    const undo = rig.fake.pods.script({ container: "shuttle" }, { exit: { code: 3 } });
    const found = await damaged(
      () => rig.kube.patch(shuttle, { spec: { template: { metadata: { annotations: { again: "1" } } } } }),
      async () => {
        undo();
        await rig.kube.patch(shuttle, { spec: { template: { metadata: { annotations: { again: null } } } } });
        await rig.fake.advance(600_000);
      },
    );
    expect(found[0]).toMatchObject({
      check: "parts",
      level: "error",
      says: expect.stringMatching(/shuttle.*0 of 1 pods are ready/) as string,
    });
  });

  test("sees an image of another release", async () => {
    const change = (image: string) =>
      rig.kube.apply(
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "shuttle", namespace: "starform-system" },
          spec: { template: { spec: { containers: [{ name: "shuttle", image }] } } },
        },
        { fieldManager: "somebody", force: true },
      );
    const found = await damaged(
      () => change("registry.starform.app/shuttle:0.0.9"),
      () => rig.bootstrap(),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        level: "warning",
        says: expect.stringContaining("this release brings registry.starform.app/shuttle:0.1.0") as string,
      }),
    );
  });

  test("sees that Shuttle does not know where lines go that Fluent Bit sends there", async () => {
    const found = await damaged(
      () => rig.bootstrap({ endpoints: undefined }),
      () => rig.bootstrap(),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        check: "platform lines",
        level: "warning",
        mend: expect.stringContaining("--region-file") as string,
      }),
    );
  });

  test("asks for every right of Shuttle's, and names those that are refused", async () => {
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      name: "starform-shuttle",
    };
    const found = await damaged(
      () => rig.kube.delete(role),
      () => rig.bootstrap(),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        check: "rights",
        level: "error",
        says: expect.stringMatching(/Shuttle may not get namespaces, .* and \d+ more/) as string,
      }),
    );
  });

  test("misses a label that others rely on", async () => {
    const space = { apiVersion: "v1", kind: "Namespace", name: "envoy-gateway-system" };
    const found = await damaged(
      () => rig.kube.patch(space, { metadata: { labels: { "starform.io/namespace-role": null } } }),
      () => rig.bootstrap(),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        check: "labels",
        level: "error",
        says: expect.stringContaining("keeps the gateway out") as string,
      }),
    );
  });

  test("notices that Pod Security is not enforced", async () => {
    const space = { apiVersion: "v1", kind: "Namespace", name: "starform-system" };
    const found = await damaged(
      () =>
        rig.kube.patch(space, {
          metadata: { labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
        }),
      () => rig.bootstrap(),
    );
    expect(found).toContainEqual(expect.objectContaining({ check: "pod security", level: "error" }));
  });

  test("misses a default storage class, and figures for autoscaling", async () => {
    const standard = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", name: "standard" };
    const mark = (value: string | null) =>
      rig.kube.patch(standard, {
        metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": value } },
      });
    const found = await damaged(
      () => mark(null),
      () => mark("true"),
    );
    expect(found).toContainEqual(expect.objectContaining({ check: "storage", level: "warning" }));
    const api = {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      name: "v1beta1.metrics.k8s.io",
    };
    const without = await damaged(
      () => rig.kube.delete(api),
      () => rig.bootstrap(),
    );
    expect(without).toContainEqual(expect.objectContaining({ check: "metrics", level: "error" }));
  });

  test("measures the clocks of the cluster and of Starbase", async () => {
    const now = () => new Date(Math.floor(rig.fake.clock.now().getTime() / 1_000) * 1_000 - 90_000);
    const found = fresh(await examine(rig, { now }));
    const told = found.map(({ check, says }) => `${check}: ${says}`);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^clocks: the cluster's clock is 9[01] s ahead of this machine's$/);
    expect(told[1]).toMatch(/^starbase: Starbase's clock is 9[01] s from this machine's$/);
  });

  test.each([
    ["unauthenticated", "error", "refuses the token", "rotate-token"],
    ["not_found", "error", "another cluster's", "--cluster-id"],
    ["unavailable", "warning", "was not reached from here", "runbooks"],
  ] as const)("tells an answer of Starbase: %s", async (code, level, says, mend) => {
    const askStarbase = () => Promise.reject(new Fault(code, "so it is"));
    const [found] = fresh(await examine(rig, { askStarbase }));
    expect(found).toMatchObject({
      check: "starbase",
      level,
      says: expect.stringContaining(says) as string,
      mend: expect.stringContaining(mend) as string,
    });
  });

  test("asks Starbase with what Shuttle has", async () => {
    const asked: unknown[] = [];
    await examine(rig, {
      askStarbase: async (settings) => {
        asked.push(settings);
        return { version: 1, date: undefined };
      },
    });
    expect(asked).toEqual([
      { url: parameters().starbaseUrl, clusterId: parameters().clusterId, token: parameters().token },
    ]);
  });

  test("goes on with the next check where one cannot be made", async () => {
    const undo = rig.fake.faults.add(
      { verb: "list", resource: "nodes" },
      { status: 403, reason: "Forbidden" },
      { skip: 1 },
    );
    rig.fake.faults.add(
      { resource: "subjectaccessreviews" },
      { status: 403, reason: "Forbidden", message: "no reviews for you" },
    );
    const findings = await examine();
    expect(findings.find(({ check }) => check === "rights")).toMatchObject({
      level: "error",
      says: expect.stringContaining("no reviews for you") as string,
    });
    expect(findings.at(-1)?.check).toBe("starbase");
    undo();
    rig.fake.faults.clear();
  });
});

describe("for a Shuttle that runs elsewhere", () => {
  const namespace = (name: string, clusterId: string) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      labels: { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": clusterId },
    },
  });

  test("it asks for our own rights, wants no pod of Shuttle's, and refuses another's apps", async () => {
    await using own = await openRig();
    await own.bootstrap({ runsShuttle: false, endpoints: undefined });
    const look = (clusterId: string) => examine(own, { askStarbase: undefined, clusterId });
    const findings = await look("none");
    expect(findings.filter(({ level }) => level === "error")).toEqual([]);
    expect(findings.map(({ says }) => says).join("\n")).toMatch(/this kubeconfig has all \d{2,} rights/);
    expect(findings.map(({ check }) => check)).not.toContain("starbase");
    own.fake.client.create(namespace("proj-a", "c1"));
    const owner = async (clusterId: string) => (await look(clusterId)).find(({ check }) => check === "owner");
    expect(await owner("c1")).toMatchObject({ level: "ok" });
    for (const other of ["c2", "none"])
      expect(await owner(other)).toMatchObject({
        level: "error",
        says: expect.stringContaining("namespace proj-a belongs to cluster c1") as string,
      });
  });

  test("a cluster that has its own pod of Shuttle is refused", async () => {
    expect(await examine(rig, { askStarbase: undefined })).toContainEqual(
      expect.objectContaining({ check: "owner", level: "error" }),
    );
  });
});

describe("on a cluster without Starform", () => {
  test("it says so once, with what brings it, and nothing of its own breaks", async () => {
    await using bare = await openRig();
    for (const askStarbase of [async () => ({ version: 7, date: bare.fake.clock.now() }), undefined]) {
      const findings = await examine(bare, { askStarbase });
      expect(findings.filter(({ check }) => check === "parts")).toEqual([
        {
          check: "parts",
          level: "error",
          says: "nothing of Starform is here",
          mend: "starform cluster bootstrap brings it, with the same kubeconfig",
        },
      ]);
      expect(bad(findings).length).toBeLessThanOrEqual(3);
      expect(findings.every(({ says }) => !says.includes("could not be looked at"))).toBe(true);
    }
  });
});
