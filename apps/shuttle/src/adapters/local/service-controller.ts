import type { DesiredService, StatusReport } from "@starform/contract/clusters";
import { digestOf } from "@starform/std/canonical-json";
import { pause } from "@starform/std/retry";
import type { Again } from "../../core/cluster.ts";
import { afterCrash, type Crashes } from "../../core/crash-backoff.ts";
import { phaseOf } from "../../core/phase.ts";
import { planRollout } from "../../core/plan-rollout.ts";
import { reasonOfEnding } from "../../core/reasons.ts";
import { instanceChecksum } from "../../core/service-checksum.ts";
import type { Instance } from "./engine.ts";
import { instanceSpec } from "./instance-spec.ts";
import { label } from "./labels.ts";
import { letGo, takeIntoCare, type LiveInstance } from "./live-instance.ts";
import { retireInstance, type RetireDeps } from "./retire-instance.ts";
import type { ServiceMemories, ServiceMemory } from "./service-memory.ts";
import { serviceRoute } from "./service-route.ts";

export type ControllerDeps = RetireDeps & { readonly clusterId: string; readonly memories: ServiceMemories };

/** Exit codes of a shell that could not run the command: trying again cannot help. */
const unrunnable = new Set([126, 127]);
/** How long a rollout waits for the gateway before it looks at the rest again. */
const gatewayPatienceMs = 3_000;

/** The instances of one web or worker service, and how they become what they should be. */
export function serviceController(
  deps: ControllerDeps,
  memory: ServiceMemory,
  found: readonly Instance[],
  changed: () => void,
) {
  const { engine, routes, memories, timings } = deps;
  const lives = new Map<string, LiveInstance>();
  const crashes = new Map<number, Crashes & { reason: string }>();
  const closing = new AbortController();
  const background = new Set<Promise<void>>();
  const ended = new Set<string>();
  let desired: DesiredService | undefined = memory.good?.service;
  let version = 0;
  let remembered = "";
  let isRemoved = false;
  let strangers = [...found];

  const all = () => [...lives.values()];
  const present = () => all().filter((live) => live.state !== "retiring");
  const save = (): void => {
    memory.serving = present()
      .filter((live) => live.isServing)
      .map((live) => live.id);
    memory.retiring = all()
      .filter((live) => live.state === "retiring")
      .map((live) => live.id);
    const digest = digestOf(memory);
    if (digest !== remembered) memories.save(memory);
    remembered = digest;
  };
  const inBackground = (work: Promise<void>): void => {
    const task = work
      .catch((error: unknown) => deps.warn(`${memory.key}: ${String(error)}`))
      .finally(() => {
        background.delete(task);
        changed();
      });
    background.add(task);
  };

  const specOf = (checksum: string): DesiredService | undefined =>
    desired && instanceChecksum(desired) === checksum
      ? desired
      : memory.good?.checksum === checksum
        ? memory.good.service
        : desired;
  const admit = (instance: Instance, service: DesiredService, isServing: boolean): void => {
    lives.set(instance.id, takeIntoCare(deps, instance, service, isServing, changed));
    if (instance.exit) ended.add(instance.id);
  };
  /** The table follows what is ready at once; who needs to know that it is live waits for `routes.live`. */
  const setRoute = (): void => {
    const upstreams = present().filter((live) => live.state === "ready");
    const { phase, reason } =
      desired && !isRemoved ? reportNow() : { phase: "stopped" as const, reason: null };
    const route =
      desired && !isRemoved
        ? serviceRoute(
            desired,
            upstreams,
            routeStateOf(phase, upstreams.length),
            upstreams.length > 0 ? null : reason,
          )
        : undefined;
    routes.set(memory.key, route);
  };
  const retire = (live: LiveInstance): void => {
    const drainMs = (desired?.drain_seconds ?? 10) * 1_000;
    live.state = "retiring";
    live.attending.abort();
    setRoute();
    inBackground(
      retireInstance(deps, live, live.isServing ? drainMs : Math.min(drainMs, 5_000), closing.signal).then(
        () => {
          if (!closing.signal.aborted) lives.delete(live.id);
        },
      ),
    );
  };
  const isProven = (checksum: string): boolean => memory.good?.checksum === checksum;
  const fail = (checksum: string, reason: string): void => {
    if (isProven(checksum)) return;
    memory.failed = { checksum, reason };
    crashes.clear();
  };

  /** Writes an ending down and says whether it was the app's own doing. */
  const noteCrash = (live: LiveInstance, reason: string, isFinal: boolean): void => {
    const nowMs = Date.now();
    crashes.set(live.slot, {
      ...afterCrash(crashes.get(live.slot), live.readyAtMs ? nowMs - live.readyAtMs : 0, nowMs),
      reason,
    });
    memory.restarts += 1;
    if (!desired || isProven(live.checksum) || live.checksum !== instanceChecksum(desired)) return;
    memory.tries += 1;
    if (isFinal || memory.tries >= timings.triesMax) fail(live.checksum, reason);
  };
  const handleEndings = async (): Promise<void> => {
    for (const id of ended) {
      const live = lives.get(id);
      const exit = live && live.state !== "retiring" ? (await engine.find(id))?.exit : undefined;
      if (!live || !exit) {
        ended.delete(id);
        continue;
      }
      live.attending.abort();
      live.isServing = false;
      live.state = "retiring";
      ended.delete(id);
      if (!exit.isLost) {
        await Promise.race([live.pump.done, pause(500)]);
        const spec = specOf(live.checksum);
        const reason = reasonOfEnding(exit, {
          tier: label(live.instance.labels, "tier"),
          memoryBytes: Number(label(live.instance.labels, "memory-bytes")),
          ranForMs: Date.now() - live.instance.startedAtMs,
          command: spec?.command ?? "the image's own",
          lastLine: live.pump.lastLine(),
        });
        noteCrash(live, reason, exit.exitCode !== null && unrunnable.has(exit.exitCode));
      }
      inBackground(letGo(deps, live).then(() => void lives.delete(id)));
    }
  };
  const handleCondemned = (): void => {
    for (const live of present()) {
      if (live.condemned === undefined) continue;
      noteCrash(live, live.condemned, live.readyAtMs === undefined);
      retire(live);
    }
  };

  const currentTarget = (service: DesiredService) => {
    const checksum = instanceChecksum(service);
    if (memory.triesOf !== checksum)
      (Object.assign(memory, { triesOf: checksum, tries: 0 }), crashes.clear());
    if (memory.restartsOf !== service.provenance.deployment_id)
      Object.assign(memory, { restartsOf: service.provenance.deployment_id, restarts: 0 });
    if (memory.failed && memory.failed.checksum !== checksum) memory.failed = null;
    if (!memory.failed) return { checksum, replicas: service.replicas, service };
    if (memory.good)
      return { checksum: memory.good.checksum, replicas: service.replicas, service: memory.good.service };
    return { checksum: "none", replicas: 0, service };
  };

  const startSlot = async (
    slot: number,
    target: { checksum: string; service: DesiredService },
  ): Promise<void> => {
    const result = await engine.start(
      instanceSpec({
        service: target.service,
        clusterId: deps.clusterId,
        slot,
        machineCpuMillis: engine.machine.cpuMillis,
      }),
    );
    if (result.kind === "started") return admit(result.instance, target.service, false);
    const { reason } = result.refusal;
    crashes.set(slot, { ...afterCrash(crashes.get(slot), 0, Date.now()), reason });
    fail(target.checksum, reason);
    changed();
  };

  /** Puts what is ready into the gateway's table; false when that could not be had in time. */
  const publish = async (): Promise<boolean> => {
    setRoute();
    const upstreams = present().filter((live) => live.state === "ready");
    const needsGateway = desired?.service_type === "web" && upstreams.some((live) => !live.isServing);
    const isLive =
      !needsGateway ||
      (await routes.live(gatewayPatienceMs).then(
        () => true,
        () => false,
      ));
    if (isLive) for (const live of upstreams) live.isServing = live.state === "ready";
    return isLive;
  };

  const reportNow = (): StatusReport => {
    const service = desired!;
    const checksum = instanceChecksum(service);
    const serving = present().filter((live) => live.isServing);
    const [ready, others] = [
      serving.filter((live) => live.checksum === checksum),
      serving.filter((live) => live.checksum !== checksum),
    ];
    const hasFailed = memory.failed?.checksum === checksum;
    const waiting = [...crashes.values()].at(-1);
    const phase = phaseOf({
      replicas: service.replicas,
      ready: ready.length,
      readyOthers: others.length,
      isProven: isProven(checksum),
      hasFailed,
      crashed: crashes.size,
    });
    const lack = present().find((live) => live.state === "starting" && live.lack)?.lack;
    return {
      service_id: service.service_id,
      environment: service.environment,
      deployment_id: service.provenance.deployment_id,
      observed_version: version,
      phase,
      ready_replicas: ready.length,
      desired_replicas: service.replicas,
      restarts: memory.restarts,
      reason: hasFailed
        ? memory.failed!.reason
        : phase === "running" || phase === "stopped"
          ? null
          : (lack ?? waiting?.reason ?? null),
      serving_deployment_id: ready[0]?.deploymentId ?? others[0]?.deploymentId ?? null,
    };
  };

  const apply = async (service: DesiredService, documentVersion: number): Promise<Again> => {
    [desired, version] = [service, documentVersion];
    adopt();
    await handleEndings();
    handleCondemned();
    const isLive = await publish();
    let target = currentTarget(service);
    const plan = planRollout({
      target,
      instances: present().map(({ id, slot, checksum, state, isServing }) => ({
        id,
        slot,
        checksum,
        state: state === "ready" && isServing ? "ready" : "starting",
      })),
      notBeforeMs: (slot) => crashes.get(slot)?.notBeforeMs ?? 0,
      nowMs: Date.now(),
    });
    for (const slot of plan.start) await startSlot(slot, target);
    for (const id of plan.retire) retire(lives.get(id)!);
    target = currentTarget(service);
    const ready = present().filter((live) => live.isServing && live.checksum === target.checksum);
    if (!memory.failed && service.replicas > 0 && ready.length >= service.replicas)
      Object.assign(memory, { good: { checksum: target.checksum, service }, tries: 0 });
    save();
    return isLive ? (plan.againInMs === undefined ? undefined : { inMs: plan.againInMs }) : { inMs: 500 };
  };
  /** Takes up what an earlier Shuttle started, as soon as it is known what it should be. */
  const adopt = (): void => {
    const waiting = desired ? strangers : [];
    strangers = desired ? [] : strangers;
    for (const instance of waiting) {
      admit(
        instance,
        specOf(label(instance.labels, "instance-checksum"))!,
        memory.serving.includes(instance.id) && !instance.exit,
      );
      if (memory.retiring.includes(instance.id) && !instance.exit) retire(lives.get(instance.id)!);
    }
  };
  adopt();
  setRoute();

  return {
    apply,
    report: (): StatusReport | undefined => (desired ? reportNow() : undefined),
    ended(id: string): boolean {
      if (!lives.has(id)) return false;
      ended.add(id);
      changed();
      return true;
    },
    instances: (): readonly LiveInstance[] => all(),
    /** Takes everything away; resolves when it is gone. */
    async remove(): Promise<void> {
      isRemoved = true;
      setRoute();
      for (const instance of strangers) await engine.remove(instance.id);
      for (const live of present()) retire(live);
      while (background.size > 0) await Promise.all(background);
    },
    /** Stops looking after what runs, and lets it run. */
    async leave(patienceMs = 0): Promise<void> {
      closing.abort();
      await Promise.race([Promise.all(all().map((live) => live.pump.done)), pause(patienceMs)]);
      for (const live of all()) live.attending.abort();
      await Promise.all(all().map((live) => live.pump.stop()));
      await Promise.all(background);
    },
  };
}
export type ServiceController = ReturnType<typeof serviceController>;

function routeStateOf(phase: StatusReport["phase"], upstreams: number) {
  if (upstreams > 0) return "serving" as const;
  if (phase === "starting") return "deploying" as const;
  if (phase === "crashed" || phase === "failed") return "crashed" as const;
  return phase === "stopped" ? ("stopped" as const) : ("no_instance" as const);
}
