import type { DesiredService, StatusReport } from "@starform/contract/clusters";
import { digestOf } from "@starform/std/canonical-json";
import { pause } from "@starform/std/retry";
import type { Again } from "../../core/cluster.ts";
import { afterCrash, recoveredAfterMs, type Crashes } from "../../core/crash-backoff.ts";
import { planRollout } from "../../core/plan-rollout.ts";
import { instanceChecksum } from "../../core/service-checksum.ts";
import { backgroundWork } from "./background-work.ts";
import { describeEnding, type Ending } from "./describe-ending.ts";
import type { Instance } from "./engine.ts";
import { instanceSpec } from "./instance-spec.ts";
import { label } from "./labels.ts";
import { letGo, takeIntoCare, type LiveInstance } from "./live-instance.ts";
import { retireInstance, type RetireDeps } from "./retire-instance.ts";
import type { ServiceMemories, ServiceMemory } from "./service-memory.ts";
import { routeStateOf, serviceReport } from "./service-report.ts";
import { serviceRoute } from "./service-route.ts";

export type ControllerDeps = RetireDeps & { readonly clusterId: string; readonly memories: ServiceMemories };
type Target = { readonly checksum: string; readonly replicas: number; readonly service: DesiredService };

/** Exit codes of a shell that could not run the command: trying again cannot help. */
const unrunnable = [126, 127];
/** How long a step of a rollout waits for the gateway before the rest is looked at again. */
const gatewayPatienceMs = 3_000;
/** What never served has no requests to finish. */
const idleDrainMs = 5_000;

/** The instances of one web or worker service, and how they become what they should be. */
export function serviceController(
  deps: ControllerDeps,
  memory: ServiceMemory,
  found: readonly Instance[],
  changed: () => void,
) {
  const { engine, routes, memories, timings } = deps;
  const lives = new Map<string, LiveInstance>();
  const crashes = new Map<number, Crashes & Ending>();
  const ended = new Set<string>();
  const closing = new AbortController();
  const background = backgroundWork(memory.key, closing.signal, deps.warn, changed);
  let desired: DesiredService | undefined = memory.good?.service;
  let [version, remembered, isRemoved] = [0, "", false];
  let strangers = [...found];
  /** Stays when the last instance is gone: its neighbours are then told why. */
  let door: Instance["door"] = null;

  const present = () => [...lives.values()].filter((live) => live.state !== "retiring");
  const isProven = (checksum: string): boolean => memory.good?.checksum === checksum;
  /** What an instance of the checksum was made from, as far as that is still known. */
  const serviceOf = (checksum: string): DesiredService | undefined =>
    desired && instanceChecksum(desired) !== checksum && isProven(checksum) ? memory.good!.service : desired;
  const report = (): StatusReport | undefined =>
    desired &&
    serviceReport({
      service: desired,
      version,
      memory,
      present: present(),
      crashes: [...crashes.values()],
    });

  const save = (): void => {
    memory.serving = present()
      .filter((live) => live.isServing)
      .map((live) => live.id);
    memory.retiring = [...lives.values()].filter((live) => live.state === "retiring").map((live) => live.id);
    const digest = digestOf(memory);
    if (digest !== remembered) memories.save(memory);
    remembered = digest;
  };

  /** The table follows what is ready at once; who needs to know that it is live waits for `routes.live`. */
  const setRoute = (): LiveInstance[] => {
    const upstreams = present().filter((live) => live.state === "ready");
    const seen = isRemoved ? undefined : report();
    door = present().find((live) => live.instance.door)?.instance.door ?? door;
    const reason = upstreams.length > 0 ? null : (seen?.reason ?? null);
    routes.set(
      memory.key,
      seen &&
        serviceRoute(desired!, upstreams, {
          state: routeStateOf(seen.phase, upstreams.length),
          reason,
          door,
        }),
    );
    return upstreams;
  };
  /** Puts what is ready into the gateway's table; false when that could not be had in time. */
  const publish = async (): Promise<boolean> => {
    const upstreams = setRoute();
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

  const admit = (instance: Instance, service: DesiredService, isServing: boolean): void => {
    lives.set(instance.id, takeIntoCare(deps, instance, service, isServing, changed));
    if (instance.exit) ended.add(instance.id);
  };
  const retire = (live: LiveInstance): void => {
    const drainMs = (desired?.drain_seconds ?? 10) * 1_000;
    live.state = "retiring";
    live.attending.abort();
    setRoute();
    background.begin(async () => {
      await retireInstance(
        deps,
        live,
        live.isServing ? drainMs : Math.min(drainMs, idleDrainMs),
        closing.signal,
      );
      if (!closing.signal.aborted) lives.delete(live.id);
    });
  };
  /** Takes up what an earlier Shuttle started, as soon as it is known what it should be. */
  const adopt = (): void => {
    const isKnown = ({ id, labels }: Instance) =>
      desired !== undefined &&
      (version > 0 || memory.serving.includes(id) || isProven(label(labels, "instance-checksum")));
    const known = strangers.filter(isKnown);
    strangers = strangers.filter((instance) => !known.includes(instance));
    for (const instance of known) {
      admit(
        instance,
        serviceOf(label(instance.labels, "instance-checksum"))!,
        memory.serving.includes(instance.id) && !instance.exit,
      );
      if (memory.retiring.includes(instance.id) && !instance.exit) retire(lives.get(instance.id)!);
    }
  };

  const fail = (checksum: string, { reason, lastLines }: Ending): void => {
    if (isProven(checksum)) return;
    memory.failed = { checksum, reason, lastLines };
    crashes.clear();
  };
  /** Writes down that an instance did not do what it should; a new deployment has only so many tries. */
  const noteCrash = (live: LiveInstance, ending: Ending, isFinal: boolean): void => {
    memory.restarts += 1;
    if (live.checksum !== target()?.checksum) return;
    const nowMs = performance.now();
    crashes.set(live.slot, {
      ...afterCrash(crashes.get(live.slot), live.readyAtMs ? nowMs - live.readyAtMs : 0, nowMs),
      ...ending,
    });
    if (isProven(live.checksum)) return;
    memory.tries += 1;
    if (isFinal || memory.tries >= timings.triesMax) fail(live.checksum, ending);
  };
  const handleEndings = async (): Promise<void> => {
    for (const id of ended) {
      const live = lives.get(id);
      const exit = live && live.state !== "retiring" ? (await engine.find(id))?.exit : undefined;
      ended.delete(id);
      if (!live || !exit) continue;
      live.attending.abort();
      Object.assign(live, { isServing: false, state: "retiring" });
      if (!exit.isLost) {
        const ending = await describeEnding(live, exit, serviceOf(live.checksum)?.command ?? null);
        noteCrash(live, ending, exit.exitCode !== null && unrunnable.includes(exit.exitCode));
      }
      background.begin(async () => {
        await letGo(deps, live);
        lives.delete(id);
      });
    }
  };
  const handleCondemned = (): void => {
    for (const live of present()) {
      if (live.condemned === undefined) continue;
      live.pump.note(live.condemned);
      noteCrash(
        live,
        { reason: live.condemned, lastLines: live.pump.lastLines() },
        live.readyAtMs === undefined,
      );
      retire(live);
    }
  };

  /** What should run now: what is desired, or what was last good when that has failed. */
  const target = (): Target | undefined => {
    if (!desired) return undefined;
    const { replicas } = desired;
    if (!memory.failed) return { checksum: instanceChecksum(desired), replicas, service: desired };
    return memory.good ? { ...memory.good, replicas } : { checksum: "none", replicas: 0, service: desired };
  };
  /** A new deployment, or new settings of the same, begin with a clean record. */
  const turnPage = (service: DesiredService): void => {
    const checksum = instanceChecksum(service);
    if (memory.triesOf !== checksum) {
      Object.assign(memory, { triesOf: checksum, tries: 0, failed: null });
      crashes.clear();
    }
    const deployment = service.provenance.deployment_id;
    if (memory.restartsOf !== deployment) Object.assign(memory, { restartsOf: deployment, restarts: 0 });
  };
  const start = async (slot: number, { service, checksum }: Target): Promise<void> => {
    const order = { service, slot, clusterId: deps.clusterId, machineCpuMillis: engine.machine.cpuMillis };
    const result = await engine.start(instanceSpec(order));
    if (result.kind === "started") {
      admit(result.instance, service, false);
      if (result.instance.exit) changed();
      return;
    }
    const refused = { reason: result.refusal.reason, lastLines: [] };
    crashes.set(slot, { ...afterCrash(crashes.get(slot), 0, performance.now()), ...refused });
    fail(checksum, refused);
    changed();
  };
  const step = async (): Promise<number | undefined> => {
    const wanted = target()!;
    const instances = present().map(({ id, slot, checksum, state, isServing }) => ({
      id,
      slot,
      checksum,
      state: state === "ready" && isServing ? ("ready" as const) : ("starting" as const),
    }));
    const notBeforeMs = (slot: number) => crashes.get(slot)?.notBeforeMs ?? 0;
    const plan = planRollout({ target: wanted, instances, notBeforeMs, nowMs: performance.now() });
    for (const slot of plan.start) await start(slot, wanted);
    for (const id of plan.retire) retire(lives.get(id)!);
    return plan.againInMs;
  };
  const forgetOldCrashes = (): void => {
    for (const live of present())
      if (live.isServing && performance.now() - (live.readyAtMs ?? Infinity) >= recoveredAfterMs)
        crashes.delete(live.slot);
  };
  /** What serves in full is what a later failure falls back on. */
  const prove = (service: DesiredService): void => {
    const checksum = instanceChecksum(service);
    const ready = present().filter((live) => live.isServing && live.checksum === checksum);
    if (memory.failed || service.replicas === 0 || ready.length < service.replicas) return;
    memory.good = { checksum, service };
    memory.tries = 0;
  };

  adopt();
  setRoute();
  return {
    async apply(service: DesiredService, documentVersion: number): Promise<Again> {
      [desired, version] = [service, documentVersion];
      turnPage(service);
      adopt();
      await handleEndings();
      handleCondemned();
      const isLive = await publish();
      const againInMs = await step();
      prove(service);
      forgetOldCrashes();
      save();
      return isLive ? (againInMs === undefined ? undefined : { inMs: againInMs }) : { inMs: 500 };
    },
    /** Looks after what there is of it, and starts and ends nothing. */
    async watch(service: DesiredService, documentVersion: number): Promise<Again> {
      if (version === 0) [desired, version] = [desired ?? service, documentVersion];
      adopt();
      await handleEndings();
      const isLive = await publish();
      save();
      return isLive ? undefined : { inMs: 500 };
    },
    report,
    ended(id: string): boolean {
      if (!lives.has(id)) return false;
      ended.add(id);
      changed();
      return true;
    },
    /** Takes everything away; resolves when it is gone. */
    async remove(): Promise<void> {
      isRemoved = true;
      setRoute();
      for (const instance of strangers) await engine.remove(instance.id);
      for (const live of present()) retire(live);
      await background.settled();
    },
    /** Stops looking after what runs, and lets it run; what already ended may say its last words for so long. */
    async leave(patienceMs = 0): Promise<void> {
      closing.abort();
      const all = [...lives.values()];
      await Promise.race([Promise.all(all.map((live) => live.pump.done)), pause(patienceMs)]);
      for (const live of all) live.attending.abort();
      await Promise.all(all.map((live) => live.pump.stop()));
      await background.settled();
    },
  };
}
export type ServiceController = ReturnType<typeof serviceController>;
