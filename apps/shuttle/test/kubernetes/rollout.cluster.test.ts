import { randomUUID } from "node:crypto";
import { StatusReport, type DesiredService } from "@starform/contract/clusters";
import { KubeError } from "@starform/kubernetes/kube-error";
import { until as untilWithin } from "@starform/std/retry";
import type { PodBehaviour } from "@starform/testkit/kubernetes/kubelet/behaviour";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { plainContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import { inventoryName, workloadName } from "../../src/adapters/kubernetes/manifests/names.ts";
import { redeployed } from "../desired.ts";
import { kinds, openKubeRig, type KubeRig, type RunningShuttle } from "./cluster-rig.ts";
import { group } from "./samples.ts";

/** The fake cluster's clock is ten times as fast as ours; on a real one all takes its time, and much of it at once. */
const speed = 10;
const isReal = process.env["TEST_KUBECONFIG"] !== undefined;
vi.setConfig({ testTimeout: isReal ? 600_000 : 60_000 });
let rig: KubeRig;
let shuttle: RunningShuttle;
beforeAll(async () => {
  rig = await openKubeRig({ scriptsPods: true, speed });
  shuttle = await rig.shuttle();
});
/** What is waited for is a matter of the cluster's time. */
const until: typeof untilWithin = (what, look, { withinMs = 15_000, ...options } = {}) =>
  untilWithin(what, look, { withinMs: (withinMs * speed) / rig.speed, ...options });
afterAll(async () => {
  await shuttle[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

let images = 0;
/** An image whose pods behave so. */
const image = (behaviour: PodBehaviour = {}): string => {
  const name = `registry.example.com/shop/web@sha256:${String(++images).padStart(64, "0")}`;
  rig.pods.script({ image: name }, behaviour);
  return name;
};
const reaches = (service: DesiredService, phase: StatusReport["phase"]) =>
  shuttle.hand.reaches(service, phase);
const says = (service: DesiredService, reason: RegExp, withinMs = 15_000) =>
  until(
    `it says ${String(reason)}`,
    () => {
      const report = shuttle.report(service);
      return report?.reason && reason.test(report.reason) && report;
    },
    { withinMs },
  ).catch((error: unknown) => {
    throw new Error(`it says ${JSON.stringify(shuttle.report(service))}`, { cause: error });
  });
const podsOf = async (service: DesiredService) =>
  (await rig.of(kinds.pod, service)).filter(({ metadata }) => !metadata.deletionTimestamp);
const namesOf = async (service: DesiredService) =>
  (await podsOf(service)).map(({ metadata }) => metadata.name).toSorted();

describe("the true reason", { concurrent: isReal }, () => {
  const probe = { kind: "http", path: "/healthz", timeout_seconds: 15 } as const;
  const none = { kind: "none", timeout_seconds: 15 } as const;

  test("of a registry that is away is told while it is tried again, and the version recovers", async () => {
    const bad = image();
    const undo = rig.pods.script({ image: bad }, { pullError: "dial tcp 192.0.2.1:443: i/o timeout" });
    const service = shuttle.hand.want(rig.service({ image: bad }));
    const report = await says(service, /cannot be pulled yet and is tried again: dial tcp/);
    expect(report.phase).toBe("starting");
    undo();
    await reaches(service, "running");
  });

  test("of a probe that fails is its answer, for an app that never starts and for one that never gets ready", async () => {
    const answer = "HTTP probe failed with statuscode: 503";
    const [slow, silent] = [
      rig.service({
        image: image({ probeError: answer }),
        probes: { startup: none, readiness: probe, liveness: none },
      }),
      rig.service({
        image: image({
          probeError:
            'Get "http://10.0.0.1:8080/healthz": dial tcp 10.0.0.1:8080: connect: connection refused',
        }),
        probes: { startup: probe, readiness: none, liveness: none },
      }),
    ];
    shuttle.hand.want(slow);
    shuttle.hand.want(silent);
    await says(slow, /^not ready yet: GET \/healthz answered 503$/);
    expect((await reaches(slow, "failed")).reason).toBe(
      "not ready within 15 s: GET /healthz answered 503; make it answer with 200, or name another path under healthCheck",
    );
    expect((await reaches(silent, "failed")).reason).toMatch(
      /^not ready within 15 s: nothing listens on port 8080/,
    );
  });

  test("of a cluster without room is what its nodes lack", async () => {
    const service = shuttle.hand.want(
      rig.service({
        image: image(),
        tier: "ultranova",
        resources: { cpu_millis: 64_000, memory_bytes: 2 ** 30 },
      }),
    );
    const report = await says(
      service,
      /^no node of the cluster has room: .*3 of \d+ nodes have too little processor time free/,
    );
    expect(report.phase).toBe("starting");
    shuttle.hand.unwant(service);
  });

  test("of a quota is how much of it is in use, and by whom", async () => {
    // Another cluster's Shuttle: this one would take away what it does not want.
    const context = plainContext(randomUUID(), {
      quota: { ...plainContext("").quota, cpuMillis: 4_000 },
    });
    const project = rig.project();
    await using small = await rig.shuttle({ context });
    const resources = { cpu_millis: 2_000, memory_bytes: 2 ** 28 };
    const staging = small.hand.want(
      rig.service({ ...project, environment: "staging", image: image(), replicas: 2, resources }),
    );
    await small.hand.reaches(staging, "running");
    const late = small.hand.want(rig.service({ ...project, image: image(), resources }));
    await until("the quota is told", () => small.report(late)?.reason?.startsWith("quota"));
    expect(small.report(late)?.reason).toBe("quota: 4 of 4 CPUs in use by staging");
    expect(small.report(staging)?.phase).toBe("running");
  });

  test("of a version that never starts comes with the last ten lines it said, and keeps them", async () => {
    const log = Array.from({ length: 14 }, (_, at) => `line ${at}`);
    const service = shuttle.hand.want(rig.service({ image: image({ exit: { code: 3 }, log }) }));
    const report = await reaches(service, "failed");
    expect(report.reason).toMatch(/its last line: line 13$/);
    expect(report.last_lines).toEqual(log.slice(4));
    expect(StatusReport.parse(report).last_lines).toEqual(log.slice(4));
    shuttle.hand.unwant(service);
  });

  test("of a running app that crashes is its exit code and last line, and it counts its restarts", async () => {
    const name = image();
    const service = shuttle.hand.want(rig.service({ image: name }));
    await reaches(service, "running");
    await until("the rollout is over", async () =>
      JSON.stringify((await rig.theOnly(kinds.deployment, service))["status"]).includes(
        "NewReplicaSetAvailable",
      ),
    );
    const [pod] = await namesOf(service);
    const undo = rig.pods.script(
      { namespace: service.namespace, name: pod! },
      { exit: { code: 1 }, log: ["listening", "Error: connection lost"] },
    );
    await says(service, /^exited with code 1 after .*; its last line: Error: connection lost$/);
    const crashed = await reaches(service, "crashed");
    expect(crashed.last_lines).toEqual(["listening", "Error: connection lost"]);
    undo();
    await reaches(service, "running");
    expect(shuttle.report(service)).toMatchObject({ restarts: expect.any(Number), reason: null });
    expect(shuttle.report(service)!.restarts).toBeGreaterThan(0);
    expect(shuttle.report(service)).not.toHaveProperty("last_lines");
  });
});

describe("the true reason of a cron whose runs cannot begin", { concurrent: isReal }, () => {
  const everyMinute: Partial<DesiredService> = {
    service_type: "cron",
    hostname: null,
    ports: [],
    replicas: 0,
    schedule: "* * * * *",
  };
  const runsOf = (service: DesiredService, { cluster }: RunningShuttle = shuttle) =>
    cluster.cronRuns().filter(({ service_id }) => service_id === service.service_id);

  test("is told of a registry that is away, of the service and of the run, until the run begins", async () => {
    const bad = image();
    const undo = rig.pods.script({ image: bad }, { pullError: "dial tcp 192.0.2.1:443: i/o timeout" });
    const service = shuttle.hand.want(rig.service({ ...everyMinute, image: bad }));
    const report = await says(service, /cannot be pulled yet and is tried again: dial tcp/);
    expect(report).toMatchObject({
      phase: "degraded",
      serving_deployment_id: service.provenance.deployment_id,
    });
    const [run] = runsOf(service);
    expect(run).toMatchObject({ outcome: "running", reason: report.reason });
    await shuttle.cluster.cronRunsTaken([run!]);
    undo();
    await until(
      "the run is told to have begun",
      () => runsOf(service).find(({ run_id }) => run_id === run!.run_id)?.reason === null,
    );
    expect((await reaches(service, "scheduled")).reason).toBeNull();
    shuttle.hand.unwant(service);
  });

  test("is told of an image that is not there, and fails that version and no other", async () => {
    const service = shuttle.hand.want(
      rig.service({ ...everyMinute, image: image({ pullError: "not found" }) }),
    );
    const report = await says(service, /is not in the registry: deploy again to build it$/);
    expect(report).toMatchObject({ phase: "failed", serving_deployment_id: null });
    const next = shuttle.hand.want(redeployed(service, { image: image() }));
    await reaches(next, "scheduled");
    const ended = () => runsOf(next).find(({ outcome }) => outcome === "failed");
    await until("the run that could not begin is ended", ended);
    expect(ended()?.reason).toMatch(/is not in the registry: .*; a newer deployment took its place$/);
    await until("it holds up no other", () =>
      runsOf(next).some(({ outcome, reason }) => outcome !== "failed" && outcome !== "skipped" && !reason),
    );
    shuttle.hand.unwant(next);
  });

  test("ends no run of an older version that may still begin before the next is due", async () => {
    const bad = image();
    const undo = rig.pods.script({ image: bad }, { pullError: "dial tcp 192.0.2.1:443: i/o timeout" });
    const seldom = { ...everyMinute, schedule: rig.fake ? "*/5 * * * *" : "*/2 * * * *" };
    const service = shuttle.hand.want(rig.service({ ...seldom, image: bad }));
    // Its first run comes within five of the fake cluster's minutes.
    await says(service, /cannot be pulled yet and is tried again/, 45_000);
    const [run] = runsOf(service);
    const next = shuttle.hand.want(redeployed(service, { image: image() }));
    await reaches(next, "scheduled");
    undo();
    await until("the run has begun after all", () =>
      runsOf(next).some(
        ({ run_id, outcome, reason }) => run_id === run!.run_id && outcome !== "failed" && reason === null,
      ),
    );
    shuttle.hand.unwant(next);
  });

  const hourLong = { exit: { code: 0, afterMs: 3_600_000 } };
  const deleteJob = async (service: DesiredService) => {
    const job = await rig.theOnly(kinds.job, service);
    await rig.api.delete({ ...kinds.job, namespace: service.namespace, name: job.metadata.name });
  };
  const begun = (service: DesiredService, of = shuttle) =>
    until("a run has begun", () =>
      runsOf(service, of).find(({ outcome, started_at }) => outcome === "running" && started_at !== null),
    );
  test("is that somebody deleted what ran, and the run is over", async () => {
    const service = shuttle.hand.want(rig.service({ ...everyMinute, image: image(hourLong) }));
    const run = await begun(service);
    await shuttle.cluster.cronRunsTaken([run]);
    await deleteJob(service);
    const ended = await until("it is over", () =>
      runsOf(service).find(({ run_id }) => run_id === run.run_id),
    );
    expect(ended).toEqual({ ...run, outcome: "failed", ended_at: ended.ended_at, reason: ended.reason });
    expect(ended.reason).toMatch(/^its Job was deleted from outside of Starform while it ran/);
    await shuttle.cluster.cronRunsTaken([ended]);
    expect(runsOf(service).map(({ run_id }) => run_id)).not.toContain(run.run_id);
    shuttle.hand.unwant(service);
  });

  test("is that its pod was taken away, whatever that made of being told to end", async () => {
    for (const stopCode of [0, 143]) {
      const service = shuttle.hand.want(
        rig.service({ ...everyMinute, image: image({ ...hourLong, stopCode, stopMs: 3_000 }) }),
      );
      const run = await begun(service);
      const pod = await rig.theOnly(kinds.pod, service);
      await rig.api.delete({ ...kinds.pod, namespace: service.namespace, name: pod.metadata.name });
      const ended = await until("it is over", () =>
        runsOf(service).find(({ run_id, outcome }) => run_id === run.run_id && outcome !== "running"),
      );
      expect(ended).toMatchObject({
        outcome: "failed",
        reason: expect.stringMatching(/^its instance was taken away before it ended: /),
      });
      shuttle.hand.unwant(service);
    }
  });

  test("is noted beside its CronJob, whose controller begins no run while another's write overtakes its own", async () => {
    const service = shuttle.hand.want(rig.service({ ...everyMinute, image: image() }));
    const over = await until("a run is over", () =>
      runsOf(service).find(({ outcome }) => outcome === "succeeded"),
    );
    await shuttle.cluster.cronRunsTaken([over]);
    const name = workloadName(service);
    expect(shuttle.writes).toContain(`patch ConfigMap ${inventoryName(service)}`);
    expect(shuttle.writes.filter((write) => write.endsWith(`CronJob ${name}`))).toEqual([
      `apply CronJob ${name}`,
    ]);
    shuttle.hand.unwant(service);
  });

  test("is told of what was deleted while no Shuttle looked, once", async () => {
    const service = rig.service({ ...everyMinute, image: image(hourLong) });
    const context = plainContext(randomUUID());
    const first = await rig.shuttle({ context });
    first.hand.want(service);
    const run = await begun(service, first);
    await first.cluster.cronRunsTaken([run]);
    await first[Symbol.asyncDispose]();
    await deleteJob(service);
    await using second = await rig.shuttle({ context });
    second.hand.want(service);
    const ended = await until("it is over", () =>
      runsOf(service, second).find(({ run_id }) => run_id === run.run_id),
    );
    expect(ended).toMatchObject({ outcome: "unknown", started_at: run.started_at, ended_at: null });
    expect(ended.reason).toMatch(/how it did is not known: its Job was gone when Shuttle came back$/);
    expect(second.report(service)?.runs_known).toContain(run.run_id);
    await second.cluster.cronRunsTaken([ended]);
    const isForgotten = async () =>
      !(await rig.of(kinds.configMap, service)).some(({ metadata }) =>
        metadata.annotations?.["starform.io/runs-going"]?.includes(run.scheduled_for),
      );
    await until("it is written down no more", isForgotten);
    expect(runsOf(service, second).map(({ run_id }) => run_id)).not.toContain(run.run_id);
    expect(second.report(service)?.runs_known).not.toContain(run.run_id);
    second.hand.unwant(service);
  });

  test("is told of what went with its CronJob while no Shuttle looked, and then it is named no more", async () => {
    const service = rig.service({ ...everyMinute, image: image(hourLong) });
    const context = plainContext(randomUUID());
    const first = await rig.shuttle({ context });
    first.hand.want(service);
    const run = await begun(service, first);
    await first.cluster.cronRunsTaken([run]);
    expect(first.report(service)?.runs_known).toContain(run.run_id);
    await first[Symbol.asyncDispose]();
    const cron = await rig.theOnly(kinds.cronJob, service);
    await rig.api.delete({ ...kinds.cronJob, namespace: service.namespace, name: cron.metadata.name });
    await until("its Job went with it", async () => (await rig.of(kinds.job, service)).length === 0);
    await using second = await rig.shuttle({ context });
    second.hand.want(service);
    const ended = await until("it is over", () =>
      runsOf(service, second).find(({ run_id }) => run_id === run.run_id),
    );
    expect(ended).toMatchObject({ outcome: "unknown", started_at: run.started_at, ended_at: null });
    await second.cluster.cronRunsTaken([ended]);
    expect(second.report(service)?.runs_known).not.toContain(run.run_id);
    second.hand.unwant(service);
  });

  test("is told of a cluster without room", async () => {
    const resources = { cpu_millis: 64_000, memory_bytes: 2 ** 30 };
    const service = shuttle.hand.want(rig.service({ ...everyMinute, image: image(), resources }));
    const report = await says(
      service,
      /^no node of the cluster has room: .*3 of \d+ nodes have too little processor/,
    );
    expect(report.phase).toBe("degraded");
    shuttle.hand.unwant(service);
  });

  test("is told of a quota, which lets no pod be made at all", async () => {
    const quota = { ...plainContext("").quota, cpuMillis: 1_000 };
    await using small = await rig.shuttle({ context: plainContext(randomUUID(), { quota }) });
    const resources = { cpu_millis: 2_000, memory_bytes: 2 ** 28 };
    const large = small.hand.want(rig.service({ ...everyMinute, image: image(), resources }));
    const reason = "quota: 0 of 1 CPUs in use";
    await until("it is told", () => small.report(large)?.reason === reason);
    expect(small.report(large)?.phase).toBe("degraded");
    expect(runsOf(large, small)[0]).toMatchObject({ outcome: "running", reason });
  });

  test("is told of Pod Security, which lets no pod be made either", async () => {
    await using asRoot = await rig.shuttle({ context: plainContext(randomUUID(), { appUserId: 0 }) });
    const root = asRoot.hand.want(rig.service({ ...everyMinute, image: image() }));
    const refusal = "refused by the cluster's Pod Security";
    await until("it is told", () => asRoot.report(root)?.reason?.startsWith(refusal));
    expect(asRoot.report(root)?.phase).toBe("failed");
  });

  test("is not told of one that is not applied yet: it is on its way", async () => {
    let isAway = true;
    const apply: KubeRig["api"]["apply"] = async (...call) => {
      if (isAway) throw new KubeError(0, { reason: "Unreachable", message: "connection refused" });
      return rig.api.apply(...call);
    };
    const context = plainContext(randomUUID());
    await using cutOff = await rig.shuttle({ context, api: { ...rig.api, apply } });
    const service = cutOff.hand.want(rig.service({ ...everyMinute, image: image() }));
    await until("it is looked at", () => cutOff.report(service));
    expect(cutOff.report(service)).toMatchObject({ phase: "starting", serving_deployment_id: null });
    isAway = false;
    await cutOff.hand.reaches(service, "scheduled");
  });
});

describe("a rollout", { concurrent: isReal }, () => {
  test("that is cancelled goes back to the pods that are still there: not one new pod is made", async () => {
    const service = shuttle.hand.want(rig.service({ image: image(), replicas: 3, env: { VERSION: "good" } }));
    await reaches(service, "running");
    const before = await namesOf(service);
    const bad = shuttle.hand.want(
      redeployed(service, { image: image({ exit: { code: 3 } }), env: { VERSION: "bad" } }),
    );
    expect((await reaches(bad, "failed")).serving_deployment_id).toBe(service.provenance.deployment_id);
    const { resourceVersion } = await rig.api.list(kinds.pod, { namespace: service.namespace });
    shuttle.hand.want(service);
    const report = await reaches(service, "running");
    expect(report.serving_deployment_id).toBe(service.provenance.deployment_id);
    await until("the bad pods are gone", async () => (await podsOf(service)).length === 3);
    expect(await namesOf(service)).toEqual(before);
    const looking = new AbortController();
    const added: string[] = [];
    const reading = (async () => {
      const selection = { namespace: service.namespace, resourceVersion };
      for await (const { type, object } of rig.api.watch(kinds.pod, selection, looking.signal))
        if (type === "ADDED") added.push(object.metadata.name);
    })().catch(() => undefined);
    await until("the watch has come to the present", async () => {
      const now = await rig.api.list(kinds.pod, { namespace: service.namespace });
      return now.items.length === 3;
    });
    looking.abort();
    await reading;
    expect(added).toEqual([]);
  });

  test("is taken back as well after a rename in between: the kept ReplicaSet is used again", async () => {
    const service = shuttle.hand.want(rig.service({ image: image(), service_name: "web" }));
    await reaches(service, "running");
    const renamed = { ...service, service_name: "shop", drain_seconds: 9 };
    shuttle.hand.want(renamed);
    const before = await namesOf(service);
    const bad = shuttle.hand.want(redeployed(renamed, { image: image({ exit: { code: 3 } }) }));
    await reaches(bad, "failed");
    shuttle.hand.want(renamed);
    await reaches(renamed, "running");
    await until("the bad pods are gone", async () => (await podsOf(service)).length === 1);
    expect(await namesOf(service)).toEqual(before);
    expect((await rig.of(kinds.replicaSet, service)).length).toBe(2);
  });

  test("concerns exactly the services whose var group changed", async () => {
    const project = rig.project();
    const shared = group();
    const [uses, other] = [
      rig.service({ ...project, image: image(), var_groups: [shared] }),
      rig.service({ ...project, image: image() }),
    ];
    shuttle.hand.want(uses);
    shuttle.hand.want(other);
    await reaches(uses, "running");
    await reaches(other, "running");
    const pods = async (service: DesiredService) =>
      (await podsOf(project as DesiredService))
        .filter(({ metadata }) => metadata.labels?.["starform.io/service-id"] === service.service_id)
        .map(({ metadata }) => metadata.name);
    const [usesBefore, otherBefore] = [await pods(uses), await pods(other)];
    shuttle.hand.want({ ...uses, var_groups: [{ ...shared, checksum: "sha256:changed" }] });
    shuttle.hand.want({ ...other });
    await until("the one that uses it was started anew", async () => {
      const now = await pods(uses);
      return now.length === 1 && now[0] !== usesBefore[0];
    });
    expect(await pods(other)).toEqual(otherBefore);
  });

  test("keeps the variables of the version before while it may come back, and lets the older ones go", async () => {
    let service = shuttle.hand.want(rig.service({ image: image(), env: { VERSION: "0" } }));
    const sources = async () =>
      (await rig.of(kinds.configMap, service)).filter(({ metadata }) => /-[0-9a-f]{10}$/.test(metadata.name))
        .length;
    for (let version = 1; version <= 6; version++) {
      await reaches(service, "running");
      service = shuttle.hand.want(redeployed(service, { env: { VERSION: String(version) } }));
    }
    await reaches(service, "running");
    await until("what can come back no more is collected", async () => (await sources()) === 4);
    const sets = await rig.of(kinds.replicaSet, service);
    const maps = await rig.of(kinds.configMap, service);
    for (const set of sets)
      expect(maps.some(({ metadata }) => JSON.stringify(set).includes(`"${metadata.name}"`))).toBe(true);
  });
});

test("a service that cannot run keeps no other from running", async () => {
  const project = rig.project();
  const broken = ["ErrImagePull", "exit", "quota"].map((kind) =>
    rig.service({
      ...project,
      image: image(
        kind === "exit" ? { exit: { code: 1 } } : kind === "quota" ? {} : { pullError: "not found" },
      ),
      ...(kind === "quota" ? { resources: { cpu_millis: 500_000, memory_bytes: 1 } } : {}),
    }),
  );
  const well = rig.service({ ...project, image: image() });
  for (const service of [...broken, well]) shuttle.hand.want(service);
  await reaches(well, "running");
  for (const service of broken) expect(shuttle.report(service)?.phase).not.toBe("running");
});
