import type { DesiredService, Probe } from "@starform/contract/clusters";
import { pause } from "@starform/std/retry";
import { reasonOfLiveness, reasonOfSilence, reasonOfTimeout } from "../../core/reasons.ts";
import type { Engine, Instance } from "./engine.ts";
import type { LocalTimings } from "./local-timings.ts";
import { askProbe } from "./probe.ts";

export type AttendEvents = {
  /** It answers as it should, on this host. */
  ready(host: string): void;
  /** Why it is not ready yet, as far as is known; told on change. */
  lacks(reason: string | undefined): void;
  /** It did not become ready in time. */
  timedOut(reason: string): void;
  /** It was ready and no longer answers. */
  unhealthy(reason: string): void;
};
type Deps = { readonly engine: Engine; readonly timings: LocalTimings };

/** Probes one instance for as long as it runs: until it is ready, then that it stays so. */
export async function attendInstance(
  deps: Deps,
  instance: Instance,
  service: DesiredService,
  isReady: boolean,
  events: AttendEvents,
  signal: AbortSignal,
): Promise<void> {
  if (!isReady && !(await untilReady(deps, instance, service.probes, events, signal))) return;
  await untilUnhealthy(deps, instance, service.probes.liveness, events, signal);
}

async function untilReady(
  { engine, timings }: Deps,
  instance: Instance,
  probes: DesiredService["probes"],
  events: AttendEvents,
  signal: AbortSignal,
): Promise<boolean> {
  const beganMs = performance.now();
  const asked = [probes.startup, probes.readiness].filter((probe) => probe.kind !== "none");
  const { address } = instance;
  if (!address || asked.length === 0) {
    await pause(timings.settledAfterMs, signal);
    if (signal.aborted) return false;
    events.ready(address?.host ?? "");
    return true;
  }
  const timeoutMs = Math.max(...asked.map((probe) => probe.timeout_seconds)) * 1_000;
  let lookedMs = beganMs;
  let silence: string | undefined;
  let elsewhereSinceMs: number | undefined;
  while (!signal.aborted) {
    const results = await askAll(asked, address, timings.probeTimeoutMs);
    if (signal.aborted) return false;
    const bad = results.find((result) => result.kind !== "ok");
    if (!bad) {
      events.lacks(undefined);
      events.ready(results[0]?.kind === "ok" ? results[0].host : address.host);
      return true;
    }
    const spentMs = performance.now() - beganMs;
    if (bad.kind === "silent" && performance.now() - lookedMs > 1_000) {
      lookedMs = performance.now();
      const listeners = await engine.listeners(instance.id);
      silence =
        listeners && reasonOfSilence(instance.port ?? address.port, listeners, engine.isolatesNetwork);
    }
    const answer = bad.kind === "wrong" ? bad.reason : undefined;
    events.lacks(answer ?? silence);
    if (silence === undefined) elsewhereSinceMs = undefined;
    else elsewhereSinceMs ??= performance.now();
    const isElsewhere =
      elsewhereSinceMs !== undefined && performance.now() - elsewhereSinceMs > timings.wrongPortMs;
    if (spentMs > timeoutMs || isElsewhere) {
      events.timedOut(
        reasonOfTimeout(Math.min(spentMs, timeoutMs), instance.port, answer ? undefined : silence, answer),
      );
      return false;
    }
    await pause(spentMs < timings.probeEagerMs ? timings.probeEveryMs : timings.probeLaterMs, signal);
  }
  return false;
}

async function untilUnhealthy(
  { engine, timings }: Deps,
  { id, address }: Instance,
  probe: Probe,
  events: AttendEvents,
  signal: AbortSignal,
): Promise<void> {
  if (!address || probe.kind === "none") return;
  for (let fails = 0; !signal.aborted;) {
    await pause(timings.livenessEveryMs, signal);
    if (signal.aborted) return;
    const result = await askProbe(probe, address, timings.probeTimeoutMs);
    fails = result.kind === "ok" ? 0 : fails + 1;
    if (result.kind === "ok" || fails < timings.livenessFailsMax) continue;
    // An instance whose engine is away is not to blame, and one that has ended is told of as that.
    const isRunning = await engine.find(id).then(
      (seen) => seen !== undefined && seen.exit === undefined,
      () => false,
    );
    if (signal.aborted) return;
    if (!isRunning) continue;
    const answer =
      result.kind === "wrong" ? result.reason : `port ${address.port} no longer takes connections`;
    return events.unhealthy(reasonOfLiveness(fails, answer));
  }
}

/** In their order, ending with the first that is not content. */
async function askAll(probes: readonly Probe[], address: { host: string; port: number }, timeoutMs: number) {
  const results = [];
  const same = new Set<string>();
  for (const probe of probes) {
    const word = `${probe.kind} ${probe.path ?? ""}`;
    if (same.has(word)) continue;
    same.add(word);
    const result = await askProbe(probe, address, timeoutMs);
    results.push(result);
    if (result.kind !== "ok") break;
  }
  return results;
}
