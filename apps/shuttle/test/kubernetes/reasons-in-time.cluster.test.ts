import { randomUUID } from "node:crypto";
import type { DesiredService } from "@starform/contract/clusters";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { plainContext, type ManifestContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import { openKubeRig, type KubeRig } from "./cluster-rig.ts";

/** The limit that is promised, from when the cluster knows a reason to when Shuttle reports it. Its clock is the machine's. */
const withinMs = 15_000;

let rig: KubeRig;
beforeAll(async () => {
  rig = await openKubeRig({ isFake: true });
});
afterAll(() => rig[Symbol.asyncDispose]());

const probe = { kind: "http", path: "/healthz", timeout_seconds: 120 } as const;
const none = { kind: "none", timeout_seconds: 120 } as const;
type Case = {
  readonly reason: string;
  readonly behaviour?: Parameters<NonNullable<KubeRig["fake"]>["pods"]["script"]>[1];
  readonly service?: Partial<DesiredService>;
  readonly context?: Partial<ManifestContext>;
  /** Where the cluster has it first: a resource, and what its object then says. */
  readonly known: readonly [resource: string, text: RegExp];
  readonly told: RegExp;
};
const cases: readonly Case[] = [
  {
    reason: "an image that cannot be pulled",
    behaviour: { pullError: "not found" },
    known: ["pods", /"ErrImagePull"/],
    told: /is not in the registry/,
  },
  {
    reason: "a crash",
    behaviour: { exit: { code: 3 }, log: ["no DATABASE_URL"] },
    known: ["pods", /"exitCode":3/],
    told: /^exited with code 3 .*no DATABASE_URL$/,
  },
  {
    reason: "an image that counts on being root",
    behaviour: {
      exit: { code: 1 },
      log: ['nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)'],
    },
    known: ["pods", /Permission denied/],
    told: /^exited with code 1 .*: something was denied to it, and it runs as user 1000, not as root: .*nginx/,
  },
  {
    reason: "an image that is root where no app may be",
    behaviour: { configError: "container has runAsNonRoot and image will run as root (container: app)" },
    known: ["pods", /"CreateContainerConfigError"/],
    told: /^the image runs as root, which no app may: /,
  },
  {
    reason: "a probe's answer",
    behaviour: { probeError: "HTTP probe failed with statuscode: 503" },
    service: { probes: { startup: none, readiness: probe, liveness: none } },
    known: ["events", /statuscode: 503/],
    told: /answered 503/,
  },
  {
    reason: "no room",
    service: { resources: { cpu_millis: 64_000, memory_bytes: 2 ** 30 } },
    known: ["pods", /"Unschedulable"/],
    told: /^no node of the cluster has room/,
  },
  {
    reason: "a quota",
    service: { resources: { cpu_millis: 2_000, memory_bytes: 2 ** 28 } },
    context: { quota: { ...plainContext("").quota, cpuMillis: 1_000 } },
    known: ["replicasets.apps", /exceeded quota/],
    told: /^quota: 0 of 1 CPUs/,
  },
  {
    reason: "Pod Security",
    context: { appUserId: 0 },
    known: ["replicasets.apps", /violates PodSecurity/],
    told: /^refused by the cluster's Pod Security/,
  },
];

let images = 0;
test.each(cases)("$reason is told within 15 s of the cluster knowing it", async (each) => {
  const image = `registry.example.com/shop/web@sha256:${String(++images).padStart(64, "0")}`;
  rig.fake!.pods.script({ image }, each.behaviour ?? {});
  const service = rig.service({ image, ...each.service });
  await using shuttle = await rig.shuttle({ context: plainContext(randomUUID(), each.context) });
  let [knownMs, toldMs] = [Number.NaN, Number.NaN];
  const nowMs = () => rig.fake!.clock.now().getTime();
  const [resource, text] = each.known;
  const forget = rig.fake!.cluster.store.onEvent((event) => {
    const isOurs = event.resource === resource && event.key.startsWith(`${service.namespace}/`);
    if (Number.isNaN(knownMs) && isOurs && text.test(JSON.stringify(event.object))) knownMs = nowMs();
  });
  using _listening = shuttle.cluster.onChange(() => {
    const reason = shuttle.report(service)?.reason ?? "";
    if (Number.isNaN(toldMs) && each.told.test(reason)) toldMs = nowMs();
  });
  shuttle.hand.want(service);
  await until("it is told", () => !Number.isNaN(toldMs), { withinMs: 60_000 });
  forget();
  // What was told before the cluster had it, or never known to it, is NaN here or negative: no truth either.
  expect(toldMs - knownMs).toBeGreaterThanOrEqual(0);
  expect(toldMs - knownMs).toBeLessThanOrEqual(withinMs);
});
