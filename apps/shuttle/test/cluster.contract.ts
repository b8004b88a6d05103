import type { CronRunReport, DesiredService, StatusReport } from "@starform/contract/clusters";
import type { LogLine } from "@starform/log-shipper/log-shipper";
import { until } from "./eventually.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cluster } from "../src/core/cluster.ts";
import { keyOf } from "../src/core/service-key.ts";
import { workQueue } from "../src/loops/work-queue.ts";
import { aService, redeployed } from "./desired.ts";

/** What a suite needs of one kind of cluster: to open it (again), to have an image, to ask an app as a visitor would. */
export type ClusterRig = AsyncDisposable & {
  open(onClose: "stop" | "leave"): Promise<Cluster>;
  /** An image of the sample app with this start command; none when it is null. */
  image(command: string | null): Promise<string>;
  readonly missingImage: string;
  ask(service: DesiredService, path: string): Promise<string>;
  readonly lines: readonly LogLine[];
  /** Each instance has a network of its own. */
  readonly isolatesNetwork: boolean;
  /** On which ports an app listens can be seen from outside; true unless said otherwise. */
  readonly seesListeners?: boolean;
  /** A crashed app is started again as the same instance. */
  readonly restartsInPlace?: boolean;
  /** The lines of apps go through Shuttle; true unless said otherwise. The platform's own always do. */
  readonly shipsLines?: boolean;
  /** Apps run on whatever becomes of Shuttle. */
  readonly outlivesShuttle?: boolean;
  /** An image without a start command is told as such; true unless said otherwise. */
  readonly knowsMissingCommand?: boolean;
  /** What an instance uses can be asked; true unless said otherwise. */
  readonly measuresUsage?: boolean;
  /**
   * The shortest schedule, how long a run takes (`TAKES`) that is still going at the next one, and within which time two
   * runs are over.
   */
  readonly everySecond?: { readonly schedule: string; readonly takes: string; readonly withinMs?: number };
};

/** Brings a cluster to what is wanted the way Shuttle does: level-triggered, key by key. */
export function driven(cluster: Cluster) {
  const wanted = new Map<string, DesiredService>();
  const left = new Set<string>();
  const queue = workQueue({
    reconcile: async (key, signal) => {
      const service = wanted.get(key);
      if (service && left.has(key)) return cluster.watch(service, 1);
      return service ? cluster.apply(service, 1, signal) : cluster.remove(key, signal);
    },
    failed: (key, error) => console.error(key, error),
  });
  const listening = cluster.onChange((key) => queue.add(key));
  return {
    want(service: DesiredService): DesiredService {
      wanted.set(keyOf(service), service);
      queue.add(keyOf(service));
      return service;
    },
    /** Wants it, and lets what there is of it as it is. */
    leaveAlone(service: DesiredService): DesiredService {
      left.add(keyOf(service));
      return this.want(service);
    },
    unwant(service: DesiredService): void {
      left.delete(keyOf(service));
      wanted.delete(keyOf(service));
      queue.add(keyOf(service));
    },
    reaches: (service: DesiredService, phase: StatusReport["phase"]): Promise<StatusReport> =>
      until(
        `${service.service_name} is ${phase}`,
        () => {
          const report = cluster.observe(keyOf(service));
          return report?.phase === phase && report.deployment_id === service.provenance.deployment_id
            ? report
            : undefined;
        },
        { withinMs: 60_000 },
      ).catch((error: unknown) => {
        throw new Error(`it is ${JSON.stringify(cluster.observe(keyOf(service)))}`, { cause: error });
      }),
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      await queue[Symbol.asyncDispose]();
    },
  };
}

const none = { kind: "none", timeout_seconds: 1 } as const;
const probes = (startup: DesiredService["probes"]["startup"]) => ({
  startup,
  readiness: none,
  liveness: none,
});

/** What every cluster owes Shuttle, whatever runs below it. */
export function clusterContract(name: string, openRig: () => Promise<ClusterRig>): void {
  describe(`a cluster of ${name}`, { timeout: 120_000 }, () => {
    let rig: ClusterRig;
    let cluster: Cluster;
    let hand: ReturnType<typeof driven>;
    let image: string;
    const podsOf = async (service: DesiredService) =>
      (await cluster.runningPods())
        .filter((pod) => pod.serviceId === service.service_id)
        .map((pod) => pod.podId);
    const envOf = async (service: DesiredService) =>
      JSON.parse(await rig.ask(service, "/env")) as Record<string, string>;
    /** What the platform itself said in the service's log. */
    const told = ({ service_id }: DesiredService) =>
      rig.lines.filter((line) => line.serviceId === service_id && line.stream === "system");
    const gone = (service: DesiredService) => {
      hand.unwant(service);
      return until("it is gone", async () => (await podsOf(service)).length === 0, { withinMs: 40_000 });
    };

    beforeAll(async () => {
      rig = await openRig();
      cluster = await rig.open("leave");
      hand = driven(cluster);
      image = await rig.image("node server.mjs");
    }, 120_000);
    afterAll(async () => {
      await hand?.[Symbol.asyncDispose]();
      await cluster?.[Symbol.asyncDispose]();
      await rig?.[Symbol.asyncDispose]();
    }, 120_000);

    test("gives an app its variables unharmed, its port and its name, and nothing of the machine's", async () => {
      const env = { TRICKY: 'it\'s\n"two" lines of $HOME `id` \\', EMPTY: "" };
      const group = {
        var_group_id: "g",
        checksum: "sha256:1",
        variables: { SHARED: "later wins", EMPTY: "no more" },
        secret_names: ["SHARED"],
      };
      const service = hand.want(aService({ image, env, var_groups: [group] }));
      await hand.reaches(service, "running");
      const seen = await envOf(service);
      expect(seen).toMatchObject({
        TRICKY: env.TRICKY,
        SHARED: "later wins",
        EMPTY: "no more",
        STARFORM_REPLICA_ID: rig.restartsInPlace ? seen["STARFORM_INSTANCE_ID"] : "0",
      });
      expect(Number(seen["PORT"])).toBeGreaterThan(0);
      expect(seen["STARFORM_INSTANCE_ID"]).toBe((await podsOf(service))[0]);
      expect(
        Object.keys(seen).filter((key) =>
          /VITEST|NODE_(?!EXTRA_CA_CERTS)|npm_(?!config_update_notifier)|STARFORM_(?!REPLICA|INSTANCE)/.test(
            key,
          ),
        ),
      ).toEqual([]);
      await gone(service);
    });

    test("replaces versions without one failed request, and finishes what the old one had begun", async () => {
      let service = hand.want(aService({ image, env: { VERSION: "1", SLOW: "300" }, replicas: 2 }));
      await hand.reaches(service, "running");
      const answers: string[] = [];
      let isOver = false;
      const visitors = Array.from({ length: 4 }, async () => {
        // oxlint-disable-next-line no-unmodified-loop-condition -- the test sets it once every version was seen
        while (!isOver)
          answers.push(await rig.ask(service, "/").catch((error: unknown) => `failed: ${String(error)}`));
      });
      for (const version of ["2", "3"]) {
        service = hand.want(redeployed(service, { env: { VERSION: version, SLOW: "300" } }));
        const report = await hand.reaches(service, "running");
        expect(report.serving_deployment_id).toBe(service.provenance.deployment_id);
      }
      await until("only the last serves", async () => (await podsOf(service)).length === 2, {
        withinMs: 20_000,
      });
      isOver = true;
      await Promise.all(visitors);
      expect(answers.filter((answer) => !answer.startsWith("version"))).toEqual([]);
      expect(new Set(answers.map((answer) => answer.slice(0, 9)))).toEqual(
        new Set(["version 1", "version 2", "version 3"]),
      );
      await gone(service);
    });

    test("leaves the old version serving when a new one fails, says why, and still repairs the old one", async () => {
      const old = hand.want(aService({ image, env: { VERSION: "good" } }));
      await hand.reaches(old, "running");
      const bad = hand.want(redeployed(old, { env: { MODE: "crash" } }));
      const report = await hand.reaches(bad, "failed");
      expect(report.reason).toMatch(/^exited with code 3 .*the database is missing/);
      expect(report.last_lines?.length).toBeGreaterThan(0);
      expect(report.last_lines?.join("\n")).toContain("the database is missing");
      expect(report.serving_deployment_id).toBe(old.provenance.deployment_id);
      const before = await rig.ask(bad, "/");
      expect(before).toContain("version good");
      await rig.ask(bad, "/exit");
      await until(
        "the old version is back",
        async () => {
          const answer = await rig.ask(bad, "/").catch(() => before);
          return answer !== before && answer.includes("version good");
        },
        { withinMs: 40_000 },
      );
      const cured = hand.want(redeployed(old, { env: { VERSION: "cured" } }));
      await hand.reaches(cured, "running");
      await until("the cured version answers", async () =>
        (await rig.ask(cured, "/")).includes("version cured"),
      );
      await gone(cured);
    });

    test("tells the true reason of each failure in one sentence", async () => {
      const http = { kind: "http", path: "/healthz", timeout_seconds: 15 } as const;
      const failing = {
        exit: {
          service: aService({ image, env: { MODE: "crash" } }),
          reason: /^exited with code 3 after .*; its last line: Error: the database is missing$/,
        },
        signal: { service: aService({ image, env: { MODE: "killed" } }), reason: /^ended by signal SIGSEGV/ },
        ...(cluster.capabilities.includes("memory-limit")
          ? {
              oom: {
                service: aService({
                  image,
                  env: { MODE: "leak" },
                  resources: { cpu_millis: 250, memory_bytes: 64 << 20 },
                }),
                reason:
                  /^killed: used more than 64 MiB, the limit of tier mininova: make it use less, or give it a larger/,
              },
            }
          : {}),
        port: {
          service: aService({ image, env: { LISTEN: "19377" }, probes: probes(http) }),
          reason:
            rig.seesListeners === false
              ? /^not ready within 15 s: nothing listens on port \d+/
              : /^not ready within 15 s: listens on 19377, but PORT is \d+: listen on the port in PORT$/,
        },
        silent: {
          service: aService({ image, env: { MODE: "silent" }, probes: probes(http) }),
          reason: /^not ready within 15 s: nothing listens on port \d+/,
        },
        probe: {
          service: aService({ image, env: { HEALTH: "500" }, probes: probes(http) }),
          reason: /^not ready within 15 s: GET \/healthz answered 500; make it answer/,
        },
        ...(rig.isolatesNetwork && rig.seesListeners !== false
          ? {
              loopback: {
                service: aService({ image, env: { BIND: "127.0.0.1" }, probes: probes(http) }),
                reason: /listens on 127\.0\.0\.1:\d+ only.*0\.0\.0\.0/,
              },
            }
          : {}),
        image: {
          service: aService({ image: rig.missingImage }),
          reason: /^the image .* is not (on this machine|in the registry)/,
        },
        ...(rig.knowsMissingCommand === false
          ? {}
          : {
              command: {
                service: aService({ image: await rig.image(null) }),
                reason: /^there is no start command/,
              },
            }),
        unknown: {
          service: aService({ image: await rig.image("no-such-program --now") }),
          reason: /^the start command was not found/,
        },
      };
      for (const { service } of Object.values(failing)) hand.want(service);
      const early = until(
        "the wrong port is told long before the time is over",
        () =>
          rig.seesListeners === false ||
          cluster.observe(keyOf(failing.port.service))?.reason?.includes("listens on 19377"),
        { withinMs: 60_000 },
      );
      for (const [key, { service, reason }] of Object.entries(failing)) {
        const report = await hand.reaches(service, "failed").catch((error: unknown) => {
          throw new Error(`the case ${key}`, { cause: error });
        });
        expect(report.reason).toMatch(reason);
        expect(report).toMatchObject({ ready_replicas: 0, serving_deployment_id: null });
      }
      await early;
      await Promise.all(Object.values(failing).map(({ service }) => gone(service)));
    });

    test("tells a reason within five seconds of its being knowable", async () => {
      if (rig.shipsLines === false || rig.seesListeners === false) return;
      const http = { kind: "http", path: "/healthz", timeout_seconds: 60 } as const;
      const wrote = (service: DesiredService, message: RegExp) =>
        until(
          `the app writes ${message}`,
          () => rig.lines.find((line) => line.serviceId === service.service_id && message.test(line.message)),
          { everyMs: 20 },
        ).then(({ tsMs }) => tsMs);
      const cases = [
        {
          service: aService({ image, env: { LISTEN: "19378" }, probes: probes(http) }),
          knowable: (service: DesiredService) => wrote(service, /^listening/),
          reason: /listens on 19378, but PORT is/,
        },
        {
          service: aService({ image, env: { MODE: "crash" } }),
          knowable: (service: DesiredService) => wrote(service, /the database is missing/),
          reason: /^exited with code 3/,
        },
        {
          service: aService({ image: rig.missingImage }),
          knowable: async () => Date.now(),
          reason: /^the image .* is not/,
        },
      ];
      const tookMs = await Promise.all(
        cases.map(async ({ service, knowable, reason }) => {
          hand.want(service);
          // A reason may be over before anybody who looks now and then has seen it: it is told with the change.
          let toldAt: number | undefined;
          const look = (): number | undefined =>
            (toldAt ??= reason.test(cluster.observe(keyOf(service))?.reason ?? "") ? Date.now() : undefined);
          using _listening = cluster.onChange(() => void look());
          const knowableAt = await knowable(service);
          return (await until(`${reason} is told`, look, { everyMs: 20 })) - knowableAt;
        }),
      );
      for (const ms of tookMs) expect(ms).toBeLessThan(5_000);
      await Promise.all(cases.map(({ service }) => gone(service)));
    });

    test("scales up and down, and to nothing and back", async () => {
      const service = hand.want(aService({ image }));
      await hand.reaches(service, "running");
      const [first] = await podsOf(service);
      for (const replicas of [3, 1, 0, 1]) {
        hand.want({ ...service, replicas });
        await until(
          `there are ${replicas}`,
          async () =>
            (await podsOf(service)).length === replicas &&
            cluster.observe(keyOf(service))?.ready_replicas === replicas,
          { withinMs: 60_000 },
        );
        await hand.reaches(service, replicas === 0 ? "stopped" : "running");
      }
      expect(await podsOf(service)).not.toContain(first);
      await gone(service);
    });

    test("restarts by nonce and by a changed var group, and for nothing that an instance does not see", async () => {
      const service = hand.want(aService({ image }));
      await hand.reaches(service, "running");
      const before = await podsOf(service);
      const renamed = hand.want({
        ...service,
        service_name: "other",
        drain_seconds: 3,
        hostnames: ["shop.example.com"],
      });
      await until(
        "the new name has its route",
        async () => (await rig.ask({ ...renamed, hostname: "shop.example.com" }, "/").catch(() => "")) !== "",
      );
      expect(await podsOf(renamed)).toEqual(before);
      for (const change of [
        { restart_nonce: "again" },
        { restart_nonce: "again", config_checksum: "sha256:2" },
      ]) {
        const running = await podsOf(renamed);
        const changed = hand.want({ ...renamed, ...change });
        await until(
          "another instance runs alone",
          async () =>
            (await podsOf(changed)).length === 1 &&
            !(await podsOf(changed)).some((pod) => running.includes(pod)),
          { withinMs: 60_000 },
        );
        expect((await hand.reaches(changed, "running")).serving_deployment_id).toBe(
          service.provenance.deployment_id,
        );
      }
      await gone(service);
    });

    test("starts a crashed app again, and one that fails its health checks", async () => {
      const live = { kind: "http", path: "/healthz", timeout_seconds: 10 } as const;
      const service = hand.want(
        aService({ image, probes: { startup: live, readiness: live, liveness: live } }),
      );
      await hand.reaches(service, "running");
      for (const [path, reason] of [
        ["/exit", /^exited with code 1/],
        ["/sick", /^failed 3 health checks in a row: GET \/healthz answered 500; make it answer/],
      ] as const) {
        const before = await podsOf(service);
        const restarts = cluster.observe(keyOf(service))!.restarts;
        // A reason may be over before anybody who looks now and then has seen it: it is told with the change.
        const told = new Set<string>();
        const look = (): void => void told.add(cluster.observe(keyOf(service))?.reason ?? "");
        using _listening = cluster.onChange(look);
        await rig.ask(service, path);
        // Three checks of five seconds each, and the ten that an instance still has to answer what is on its way.
        await until("the reason is told", () => (look(), [...told].some((one) => reason.test(one))), {
          withinMs: 60_000,
        });
        await until(
          "another one runs",
          async () =>
            rig.restartsInPlace
              ? cluster.observe(keyOf(service))!.restarts > restarts
              : (await podsOf(service)).some((pod) => !before.includes(pod)),
          { withinMs: 40_000 },
        );
        await hand.reaches(service, "running");
      }
      expect(cluster.observe(keyOf(service))?.restarts).toBe(2);
      await until("its log was told of both", () => told(service).length >= 2);
      expect(told(service).map(({ level, message }) => `${level} ${message}`)).toEqual([
        expect.stringMatching(/^warn exited with code 1 after [\d.]+ \w+$/),
        expect.stringMatching(/^warn failed 3 health checks in a row: GET \/healthz answered 500/),
      ]);
      await gone(service);
    });

    test("ends an app that does not hear SIGTERM once its drain time is over, and says so to it alone", async () => {
      const deaf = hand.want(aService({ image, env: { MODE: "deaf" }, drain_seconds: 1 }));
      const polite = hand.want(aService({ image, drain_seconds: 10 }));
      for (const service of [deaf, polite]) await hand.reaches(service, "running");
      await Promise.all([gone(deaf), gone(polite)]);
      await until("it is told", () => told(deaf).length > 0);
      expect(told(deaf).map(({ level, message }) => `${level} ${message}`)).toEqual([
        expect.stringMatching(/^warn killed because it did not end within 1\.0 s of SIGTERM: .+/),
      ]);
      expect(told(polite)).toEqual([]);
    });

    test("runs a worker without a port, and ships every line it writes once, over a restart of Shuttle", async () => {
      const service = hand.want(
        aService({
          image: await rig.image("node worker.mjs"),
          service_type: "worker",
          hostname: null,
          ports: [],
          probes: probes(none),
        }),
      );
      await hand.reaches(service, "running");
      const before = await podsOf(service);
      const ticks = () =>
        rig.lines.filter((line) => line.serviceId === service.service_id && line.message.startsWith("tick"));
      const writes = async (count: number) => rig.shipsLines === false || ticks().length > count;
      await until("it writes", () => writes(2));
      await hand[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      const seen = ticks().length;
      cluster = await rig.open("leave");
      hand = driven(cluster);
      hand.want(service);
      await hand.reaches(service, "running");
      expect(await podsOf(service)).toEqual(before);
      await until("it goes on", () => writes(seen + 3));
      expect(ticks().map((line) => line.message)).toEqual(ticks().map((_, at) => `tick ${at}`));
      expect(ticks().map((line) => line.seq)).toEqual(ticks().map((_, at) => ticks()[0]!.seq + at));
      await gone(service);
      if (rig.shipsLines === false) return;
      await until("its last words are there", () =>
        rig.lines.some((line) => line.serviceId === service.service_id && line.message === "worker done"),
      );
    });

    test("observes a service that is left alone, does nothing for it, and removes it when it is not wanted", async () => {
      const service = hand.want(aService({ image }));
      const cron: Partial<DesiredService> = { service_type: "cron", hostname: null, ports: [] };
      const nightly = hand.want(
        aService({ image: await rig.image("node job.mjs"), ...cron, schedule: "0 3 1 1 *", replicas: 0 }),
      );
      await hand.reaches(service, "running");
      await hand.reaches(nightly, "scheduled");
      const before = await podsOf(service);
      await hand[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      cluster = await rig.open("leave");
      hand = driven(cluster);
      hand.leaveAlone(redeployed(service, { env: { VERSION: "2" }, replicas: 2 }));
      hand.leaveAlone(nightly);
      await hand.reaches(nightly, "scheduled");
      const known = await until("its runs are known", () => cluster.observe(keyOf(nightly))?.runs_known);
      expect(known).toEqual([]);
      const { deployment_id } = service.provenance;
      await until(
        "it is seen to serve",
        () => cluster.observe(keyOf(service))?.serving_deployment_id === deployment_id,
      );
      expect(await podsOf(service)).toEqual(before);
      expect(await rig.ask(service, "/")).toContain("version 1");
      // It is looked at for as long as it is left alone.
      let looks = 0;
      using _listening = cluster.onChange((key) => void (looks += Number(key === keyOf(service))));
      await rig.ask(service, "/exit").catch(() => undefined);
      await until("its end is seen", () => looks > 0, { withinMs: 20_000 });
      hand.unwant(nightly);
      await gone(service);
      await until("neither is known any more", () =>
        [service, nightly].every((one) => cluster.observe(keyOf(one)) === undefined),
      );
    });

    test(
      "runs a cron on time, never twice at once, with a record of each run",
      { timeout: 540_000 },
      async () => {
        const service = hand.want(
          aService({
            image: await rig.image("node job.mjs"),
            service_type: "cron",
            hostname: null,
            ports: [],
            schedule: rig.everySecond?.schedule ?? "* * * * * *",
            env: { TAKES: rig.everySecond?.takes ?? "1200" },
            probes: probes(none),
          }),
        );
        await hand.reaches(service, "scheduled");
        const runs = new Map<string, CronRunReport>();
        await until(
          "runs end well and others are left out",
          async () => {
            const pending = cluster.cronRuns().filter((run) => run.service_id === service.service_id);
            for (const run of pending) runs.set(run.run_id, run);
            await cluster.cronRunsTaken(pending);
            const outcomes = [...runs.values()].map((run) => run.outcome);
            return (
              outcomes.filter((outcome) => outcome === "succeeded").length >= 2 &&
              outcomes.includes("skipped")
            );
          },
          { withinMs: rig.everySecond?.withinMs ?? 60_000 },
        );
        const spans = [...runs.values()]
          .filter((run) => run.ended_at !== null)
          .map((run) => [Date.parse(run.started_at!), Date.parse(run.ended_at!)] as const)
          .sort((a, b) => a[0] - b[0]);
        for (const [at, span] of spans.slice(1).entries())
          expect(span[0]).toBeGreaterThanOrEqual(spans[at]![1]);
        expect([...runs.values()].find((run) => run.outcome === "skipped")?.reason).toMatch(/still going/);
        await gone(service);
        hand.want(redeployed(service, { schedule: "every day" }));
        await until("a bad schedule is told", () =>
          cluster.observe(keyOf(service))?.reason?.includes("cannot be read"),
        );
        hand.unwant(service);
      },
    );

    test("measures what each instance uses, and how full the cluster is", async () => {
      const service = hand.want(aService({ image }));
      await hand.reaches(service, "running");
      const usageOf = async () => (await cluster.usage()).find((pod) => pod.serviceId === service.service_id);
      await until("it has used something", async () => {
        if (rig.measuresUsage === false) return true;
        const { cpuSeconds = 0, memoryWorkingSetBytes = 0 } = (await usageOf()) ?? {};
        return cpuSeconds > 0 && memoryWorkingSetBytes > 1 << 20;
      });
      const metered = (await cluster.runningPods()).find((pod) => pod.serviceId === service.service_id);
      expect(metered?.startedAtMs).toBeGreaterThan(Date.parse("2026-01-01"));
      const capacity = await cluster.capacity();
      expect(capacity.podCount).toBeGreaterThanOrEqual(1);
      expect(capacity.cpuRequestedMillis).toBeGreaterThanOrEqual(250);
      expect(await cluster.inventory()).toContain(keyOf(service));
      await gone(service);
    });

    test("ends every app when it is closed to stop, unless apps run on without Shuttle", async () => {
      const service = hand.want(aService({ image }));
      await hand.reaches(service, "running");
      await hand[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      cluster = await rig.open("stop");
      hand = driven(cluster);
      await until("it was found again", async () => (await podsOf(service)).length === 1);
      await hand[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      const answer = await rig.ask(service, "/").catch(() => "silence");
      cluster = await rig.open("stop");
      hand = driven(cluster);
      expect(answer.includes("version")).toBe(rig.outlivesShuttle ?? false);
      expect((await cluster.runningPods()).length).toBe(rig.outlivesShuttle ? 1 : 0);
    });
  });
}
