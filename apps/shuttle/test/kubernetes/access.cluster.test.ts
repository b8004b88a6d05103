import { once } from "node:events";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { isKubeError } from "@starform/kubernetes/kube-error";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubernetesDesiredStore } from "../../src/adapters/kubernetes/kept/desired-store.ts";
import { keptSecrets } from "../../src/adapters/kubernetes/kept/kept-secrets.ts";
import { watchKept } from "../../src/adapters/kubernetes/kept/watch-kept.ts";
import { leaseLeadership } from "../../src/adapters/kubernetes/lease-leadership.ts";
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

test("with its own roles and no other right, Shuttle may do all that it does", async () => {
  await using account = await openAccount(rig);
  const { api, refused } = refusalsOf(account.api);
  await using shuttle = await rig.shuttle({ api });
  const project = rig.project();
  const own = { ...project, replicas: 0 };
  const services = [
    rig.service({
      ...own,
      env: { LEVEL: "warn" },
      var_groups: [group()],
      volumes: [{ name: "uploads", mount_path: "/data", size_bytes: 2 ** 30 }],
    }),
    rig.service({
      ...own,
      autoscaling: { min_replicas: 1, max_replicas: 2, cpu_percent: 70, memory_percent: null },
    }),
    rig.service({ ...own, service_type: "worker", hostname: null, ports: [] }),
    rig.service({ ...own, service_type: "cron", hostname: null, ports: [], schedule: "0 4 1 1 *" }),
  ];
  for (const service of services) shuttle.hand.want(service);
  for (const service of services) await settled(shuttle, service);
  for (const service of services) {
    const next = shuttle.hand.want(redeployed(service, { env: { AGAIN: "1" } }));
    await until("it was applied", async () =>
      (await rig.of(service.service_type === "cron" ? kinds.cronJob : kinds.deployment, service)).some(
        (object) => JSON.stringify(object).includes(next.provenance.deployment_id),
      ),
    );
  }
  const { signal } = new AbortController();
  await shuttle.cluster.configure!({ lb_size_units: 2 }, signal);
  await shuttle.cluster.runningPods();
  await shuttle.cluster.usage();
  await shuttle.cluster.capacity();
  for (const service of services) shuttle.hand.unwant(service);
  await until("all is gone", async () => (await shuttle.cluster.inventory()).length === 0);
  expect(services.map((service) => shuttle.cluster.observe(keyOf(service)))).toEqual(
    services.map(() => undefined),
  );

  const kept = keptSecrets(api, account.namespace, "desired-state");
  await using watching = watchKept(api, account.namespace, "desired-state", () => undefined)(() => undefined);
  await kubernetesDesiredStore(kept).save({ text: "{}", signature: "k1:abc", etag: '"1"' } as never);
  for (const name of await kept.names()) await kept.remove(name);
  const ending = new AbortController();
  const leading = Promise.withResolvers<void>();
  const leadership = leaseLeadership({
    api,
    namespace: account.namespace,
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
  expect(refused).toEqual([]);
  void watching;
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
