import { once } from "node:events";
import type { DesiredService } from "@starform/contract/clusters";
import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { until } from "@starform/std/retry";
import type { FakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterAccess } from "../../src/adapters/kubernetes/cluster-access.ts";
import { kubernetesDesiredStore } from "../../src/adapters/kubernetes/kept/desired-store.ts";
import { keptSecrets } from "../../src/adapters/kubernetes/kept/kept-secrets.ts";
import { watchKept } from "../../src/adapters/kubernetes/kept/watch-kept.ts";
import { leaseLeadership } from "../../src/adapters/kubernetes/lease-leadership.ts";
import { managedBySelector } from "../../src/adapters/kubernetes/manifests/labels.ts";
import { gatewayNamespace } from "../../src/adapters/kubernetes/manifests/names.ts";
import { appliedKinds } from "../../src/adapters/kubernetes/view/kinds.ts";
import { fieldManager, managedEntries } from "../../src/adapters/kubernetes/view/owned-object.ts";
import { keyOf } from "../../src/core/service-key.ts";
import { redeployed } from "../desired.ts";
import { openAccount } from "./account.ts";
import { kinds, openKubeRig, settled, type KubeRig } from "./cluster-rig.ts";
import { group } from "./samples.ts";

let rig: KubeRig;
beforeAll(async () => {
  rig = await openKubeRig();
  await rig.gatewayNamespace();
});
afterAll(() => rig[Symbol.asyncDispose]());

/** Every refusal for want of a right, wherever it is caught afterwards. */
function refusalsOf(api: KubeApi) {
  const refused: string[] = [];
  const note = (error: unknown): never => {
    if (isKubeError(error, 403) && !/exceeded quota|PodSecurity/.test(error.message))
      refused.push(error.message);
    throw error;
  };
  const noted = new Proxy(api, {
    get(target, name) {
      const call = target[name as keyof KubeApi] as (...all: unknown[]) => unknown;
      if (name === "watch")
        return async function* (...all: unknown[]) {
          try {
            yield* call(...all) as AsyncIterable<unknown>;
          } catch (error) {
            note(error);
          }
        };
      return (...all: unknown[]) => (call(...all) as Promise<unknown>).catch(note);
    },
  });
  return { refused, api: noted };
}

/** Each right as `verb group/resource`. */
const rights = clusterAccess.flatMap(({ group, resources, verbs }) =>
  resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
);

/** What an account asked of the fake server, as the rights that it takes. */
function called({ requests }: FakeKubernetes, namespace: string): readonly string[] {
  const own = requests
    .list()
    .filter(
      ({ user, attempt }) =>
        user.startsWith(`system:serviceaccount:${namespace}:`) && attempt.path === undefined,
    );
  return own.flatMap(({ attempt: { verb, group, resource, subresource }, status }) => {
    const what = `${group}/${subresource ? `${resource}/${subresource}` : resource}`;
    // An apply of what was not there takes the right to create it as well.
    return verb === "patch" && status === 201 ? [`patch ${what}`, `create ${what}`] : [`${verb} ${what}`];
  });
}

/** Takes the fields of all that a Shuttle made out of its hands, one object of each kind, and waits until it has them back. */
async function disown(
  { api }: KubeRig,
  namespaces: readonly string[],
  configure: () => Promise<unknown>,
): Promise<void> {
  for (const { apiVersion, kind } of appliedKinds)
    for (const namespace of kind === "Namespace" ? [undefined] : namespaces) {
      const found = (await api.list({ apiVersion, kind }, { namespace, labelSelector: managedBySelector }))
        .items;
      const object = found.find(({ metadata }) => kind !== "Namespace" || namespaces.includes(metadata.name));
      if (!object) continue;
      const ref = { apiVersion, kind, name: object.metadata.name, namespace };
      await api.patch(ref, { metadata: { managedFields: [{}] } });
      await until(`${kind} ${ref.name} is Shuttle's again`, async () => {
        if (namespace === gatewayNamespace) await configure();
        return managedEntries((await api.get(ref))!).some(({ manager }) => manager === fieldManager);
      });
    }
}

/** A run of a cron that is never begun, and of which an event says why. */
async function aStuckRun(cron: DesiredService): Promise<AsyncDisposable & { isEnded(): Promise<boolean> }> {
  const [cronJob] = (await rig.of(kinds.cronJob, cron)) as unknown as [
    { metadata: KubeObject["metadata"]; spec: { jobTemplate: { metadata: object; spec: object } } },
  ];
  const { metadata, spec } = cronJob.spec.jobTemplate;
  const { namespace } = cronJob.metadata;
  const name = `${cronJob.metadata.name}-29000000`;
  const job = { apiVersion: "batch/v1", kind: "Job" };
  const made = await rig.api.create({
    ...job,
    metadata: { ...metadata, name, namespace },
    spec: { ...spec, suspend: true },
  } as unknown as KubeObject);
  await rig.api.create({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.1`, namespace },
    involvedObject: { ...job, name, namespace, uid: made.metadata.uid },
    type: "Warning",
    reason: "FailedCreate",
    message: 'Error creating: pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsUser=0',
    firstTimestamp: new Date().toISOString(),
    lastTimestamp: new Date().toISOString(),
  } as unknown as KubeObject);
  const ref = { ...job, name, namespace };
  return {
    isEnded: async () => JSON.stringify(await rig.api.get(ref)).includes('"activeDeadlineSeconds":1'),
    async [Symbol.asyncDispose]() {
      await rig.api.delete(ref).catch(() => undefined);
    },
  };
}

/** All that Shuttle ever does, once. */
async function doAll(api: KubeApi, namespace: string): Promise<void> {
  await using shuttle = await rig.shuttle({ api });
  const project = rig.project();
  const own = { ...project, replicas: 0 };
  const services = [
    // In a project of its own, so that its namespace goes with it; a volume keeps that of the others.
    rig.service({ replicas: 0 }),
    rig.service({
      ...own,
      env: { LEVEL: "warn" },
      var_groups: [group()],
      volumes: [{ name: "uploads", mount_path: "/data", size_bytes: 2 ** 30 }],
    }),
    rig.service({
      ...own,
      replicas: 1,
      autoscaling: { min_replicas: 1, max_replicas: 2, cpu_percent: 70, memory_percent: null },
    }),
    rig.service({ ...own, service_type: "worker", hostname: null, ports: [] }),
    rig.service({ ...own, service_type: "cron", hostname: null, ports: [], schedule: "0 4 1 1 *" }),
  ];
  for (const service of services) shuttle.hand.want(service);
  for (const service of services) await settled(shuttle, service);
  await using stuck = await aStuckRun(services.find(({ service_type }) => service_type === "cron")!);
  for (const service of services) {
    const next = shuttle.hand.want(redeployed(service, { env: { AGAIN: "1" } }));
    await until("it was applied", async () =>
      (await rig.of(service.service_type === "cron" ? kinds.cronJob : kinds.deployment, service)).some(
        (object) => JSON.stringify(object).includes(next.provenance.deployment_id),
      ),
    );
  }
  await until("the run that could not begin is ended", stuck.isEnded);
  await stuck[Symbol.asyncDispose]();
  const { signal } = new AbortController();
  const configure = () => shuttle.cluster.configure!({ lb_size_units: 2 }, signal);
  await configure();
  await disown(rig, [project.namespace, gatewayNamespace], configure);
  await shuttle.cluster.runningPods();
  await shuttle.cluster.usage();
  await shuttle.cluster.capacity();
  for (const service of services) shuttle.hand.unwant(service);
  await until("all is gone", async () => (await shuttle.cluster.inventory()).length === 0);
  expect(services.map((service) => shuttle.cluster.observe(keyOf(service)))).toEqual(
    services.map(() => undefined),
  );

  const kept = keptSecrets(api, namespace, "desired-state");
  await using watching = watchKept(api, namespace, "desired-state", () => undefined)(() => undefined);
  await kubernetesDesiredStore(kept).save({ text: "{}", signature: "k1:abc", etag: '"1"' } as never);
  for (const name of await kept.names()) await kept.remove(name);
  const ending = new AbortController();
  const leading = Promise.withResolvers<void>();
  const leadership = leaseLeadership({
    api,
    namespace: namespace,
    name: "shuttle",
    identity: "a",
    durationMs: 2_000,
    retryMs: 100,
    warn: () => undefined,
  });
  const running = leadership.run(async (ended) => {
    leading.resolve();
    if (!ended.aborted) await once(ended, "abort");
  }, ending.signal);
  await leading.promise;
  ending.abort();
  await running;
  void watching;
}

test("with its own roles Shuttle may do all that it does, and does all that it may", async () => {
  await using account = await openAccount(rig);
  rig.fake?.requests.clear();
  const { api, refused } = refusalsOf(account.api);
  await doAll(api, account.namespace);
  expect(refused).toEqual([]);
  // A watch is noted when the server has seen it end, like every request. A real server keeps no such book.
  const asked = () => (rig.fake ? called(rig.fake, account.namespace) : rights);
  await expect.poll(() => [...new Set(asked())].toSorted(), { timeout: 10_000 }).toEqual(rights.toSorted());
});

test("and without a right it is told of it", async () => {
  await using account = await openAccount(rig);
  const { api, refused } = refusalsOf(account.api);
  await expect(
    api.list({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" }, {}),
  ).rejects.toMatchObject({
    status: 403,
  });
  expect(refused[0]).toMatch(/clusterroles.* is forbidden: User "system:serviceaccount:/);
});
