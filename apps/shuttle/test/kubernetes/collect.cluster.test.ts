import type { KubeObject } from "@starform/kubernetes/kube-api";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { keyOf } from "../../src/core/service-key.ts";
import { redeployed } from "../desired.ts";
import { kinds, openKubeRig, settled, type KubeRig } from "./cluster-rig.ts";
import { group } from "./samples.ts";

let rig: KubeRig;
beforeAll(async () => {
  rig = await openKubeRig();
});
beforeEach(() => rig.newCluster());
afterAll(() => rig[Symbol.asyncDispose]());

const namesOf = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);
/** A copy as people make one: everything but what the server fills in. */
const copyOf = ({ metadata, ...rest }: KubeObject, name: string): KubeObject => {
  const { namespace, labels, annotations } = metadata;
  const { status: _status, ...body } = rest;
  return { ...body, metadata: { name, namespace, labels, annotations } } as unknown as KubeObject;
};

test("what left desired state goes, with all that belonged to it; the project stays while another service is in it", async () => {
  await using shuttle = await rig.shuttle();
  const project = rig.project();
  const [one, other] = [
    rig.service({ ...project, replicas: 0, var_groups: [group()] }),
    rig.service({ ...project, replicas: 0, environment: "staging" }),
  ];
  shuttle.hand.want(one);
  shuttle.hand.want(other);
  await settled(shuttle, one);
  await settled(shuttle, other);
  expect((await rig.of(kinds.policy, project)).length).toBe(2);
  shuttle.hand.unwant(one);
  await until("it is gone", async () => !(await shuttle.cluster.inventory()).includes(keyOf(one)));
  for (const kind of [kinds.deployment, kinds.service, kinds.configMap, kinds.secret]) {
    const left = (await rig.of(kind, project)).filter(
      ({ metadata }) => metadata.labels?.["starform.io/service-id"],
    );
    expect(
      left.filter(({ metadata }) => metadata.labels?.["starform.io/service-id"] === one.service_id),
    ).toEqual([]);
  }
  await until("its environment is gone", async () => (await rig.of(kinds.policy, project)).length === 1);
  expect((await rig.of(kinds.deployment, project)).length).toBe(1);

  shuttle.hand.unwant(other);
  await until("the project is gone", async () => {
    const space = await rig.api.get({ ...kinds.namespace, name: project.namespace });
    return !space || space.metadata.deletionTimestamp;
  });
});

test("of services that leave together, the last takes the project along", async () => {
  await using shuttle = await rig.shuttle();
  const project = rig.project();
  const services = ["one", "two", "three", "four"].map((service_name) =>
    shuttle.hand.want(rig.service({ ...project, replicas: 0, service_name })),
  );
  for (const service of services) await settled(shuttle, service);
  for (const service of services) shuttle.hand.unwant(service);
  await until("the project is gone", async () => {
    const space = await rig.api.get({ ...kinds.namespace, name: project.namespace });
    return !space || space.metadata.deletionTimestamp;
  });
});

test("a volume is never removed as a side effect, and keeps its namespace", async () => {
  await using shuttle = await rig.shuttle();
  const service = rig.service({
    replicas: 0,
    volumes: [{ name: "data", mount_path: "/data", size_bytes: 2 ** 30 }],
  });
  shuttle.hand.want(service);
  await settled(shuttle, service);
  shuttle.hand.want({ ...service, volumes: [] });
  await settled(shuttle, service);
  expect((await rig.of(kinds.claim, service)).length).toBe(1);
  shuttle.hand.unwant(service);
  await until("the service is gone", async () => (await shuttle.cluster.inventory()).length === 0);
  expect((await rig.of(kinds.claim, service)).length).toBe(1);
  const space = await rig.api.get({ ...kinds.namespace, name: service.namespace });
  expect(space?.metadata.deletionTimestamp).toBeFalsy();
  expect(shuttle.warned.join()).toMatch(
    /stays, though its last service is gone: it holds PersistentVolumeClaim/,
  );
});

test("a copy with our labels that the inventory does not list stays, and so does what lost our labels", async () => {
  const service = rig.service({ replicas: 0 });
  {
    await using before = await rig.shuttle();
    before.hand.want(service);
    await settled(before, service);
  }
  // No Shuttle is there to put the label back.
  const address = await rig.theOnly(kinds.service, service);
  const {
    clusterIP: _a,
    clusterIPs: _b,
    ...spec
  } = (address as unknown as { spec: Record<string, unknown> }).spec;
  await rig.api.create({ ...copyOf(address, "a-copy"), spec });
  const [config] = (await rig.of(kinds.configMap, service)).filter(({ metadata }) =>
    /-[0-9a-f]{10}$/.test(metadata.name),
  );
  await rig.api.patch(
    { ...kinds.configMap, name: config!.metadata.name, namespace: service.namespace },
    { metadata: { labels: { "starform.io/managed-by": "somebody" } } },
  );
  await using shuttle = await rig.shuttle();
  shuttle.hand.unwant(service);
  await until("the service is gone", async () => (await rig.of(kinds.deployment, service)).length === 0);
  await until("its inventory is gone", async () => (await shuttle.cluster.inventory()).length === 0);
  expect(namesOf(await rig.of(kinds.service, service))).toEqual(["a-copy"]);
  expect(namesOf(await rig.of(kinds.configMap, service))).toContain(config!.metadata.name);
  expect(
    (await rig.api.get({ ...kinds.namespace, name: service.namespace }))?.metadata.deletionTimestamp,
  ).toBeFalsy();
});

test("another cluster's objects are nobody's business here", async () => {
  await using shuttle = await rig.shuttle();
  const own = { ...rig.project(), replicas: 0 };
  const service = shuttle.hand.want(rig.service(own));
  await settled(shuttle, service);
  await rig.api.create({
    ...kinds.configMap,
    metadata: {
      name: "foreign-inventory",
      namespace: service.namespace,
      labels: {
        "starform.io/managed-by": "shuttle",
        "starform.io/cluster-id": "elsewhere",
        "starform.io/project-id": service.project_id,
        "starform.io/environment": "production",
        "starform.io/service-id": "somebody",
      },
      annotations: { "starform.io/inventory": "Service/x" },
    },
  });
  // One list of the same kind after it: by then the watch has told of both.
  const later = shuttle.hand.want(rig.service(own));
  await until("the later one was told", async () =>
    (await shuttle.cluster.inventory()).includes(keyOf(later)),
  );
  expect((await shuttle.cluster.inventory()).toSorted()).toEqual([keyOf(service), keyOf(later)].toSorted());
});

test("variables of a version that may come back are kept, those of one that may not are collected", async () => {
  await using shuttle = await rig.shuttle();
  let service = shuttle.hand.want(rig.service({ env: { VERSION: "0" } }));
  await settled(shuttle, service);
  const sources = async () =>
    namesOf(await rig.of(kinds.configMap, service)).filter((name) => /-[0-9a-f]{10}$/.test(name));
  const [first] = await sources();
  service = shuttle.hand.want(redeployed(service, { env: { VERSION: "1" } }));
  await settled(shuttle, service);
  const sets = await rig.of(kinds.replicaSet, service);
  const kept = sets.some((set) => JSON.stringify(set).includes(first!));
  await until("the list is right", async () => (await sources()).includes(first!) === kept);
  expect((await sources()).length).toBe(kept ? 2 : 1);
});
