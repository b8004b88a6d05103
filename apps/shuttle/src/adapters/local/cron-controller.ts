import { createHash } from "node:crypto";
import type { CronRunReport, DesiredService, StatusReport } from "@starform/contract/clusters";
import { pause } from "@starform/std/retry";
import type { Again } from "../../core/cluster.ts";
import { dueRuns, scheduleFault } from "../../core/cron-schedule.ts";
import { reasonOfMissingImage } from "../../core/reasons.ts";
import { runsKnown } from "../../core/runs-known.ts";
import { backgroundWork } from "./background-work.ts";
import { describeEnding } from "./describe-ending.ts";
import type { Instance, InstanceExit } from "./engine.ts";
import { instanceSpec } from "./instance-spec.ts";
import { label } from "./labels.ts";
import { letGo, takeIntoCare, type LiveInstance } from "./live-instance.ts";
import { stopAndTell } from "./retire-instance.ts";
import type { ControllerDeps } from "./service-controller.ts";
import type { CronBook } from "./cron-book.ts";

/** Nobody can tell the two apart afterwards: the clock of the machine is all that there is. */
const missed =
  "Shuttle was not running at that time, or the clock of this machine was moved, and a run is never late by more than a minute";

const leftAlone =
  "the service was left as it was: what holds it back on the cluster could not be read, so that nobody knew what to run";

/** A timer is never set further than this, so that a clock that jumps is noticed. */
const lookEveryMs = 20_000;

/** The runs of one cron service: on time, one at a time, each with its record. */
export function cronController(
  deps: ControllerDeps,
  book: CronBook,
  found: readonly Instance[],
  changed: () => void,
) {
  const lives = new Map<string, LiveInstance>();
  const ended = new Set<string>();
  const closing = new AbortController();
  const background = backgroundWork(book.key, closing.signal, deps.warn, () => undefined);
  let strangers = [...found];
  let desired: DesiredService | undefined;
  let version = 0;
  let fault: string | undefined;

  const admit = (instance: Instance, service: DesiredService): void => {
    lives.set(
      instance.id,
      takeIntoCare(deps, instance, service, true, () => undefined),
    );
    if (instance.exit) ended.add(instance.id);
  };
  const release = (live: LiveInstance, stopMs?: number): void => {
    live.state = "retiring";
    background.begin(async () => {
      if (stopMs !== undefined) await stopAndTell(deps, live, stopMs);
      await letGo(deps, live);
      lives.delete(live.id);
    });
  };
  const running = () => [...lives.values()].find((live) => live.state !== "retiring");
  const runOf = (service: DesiredService, scheduledFor: Date): CronRunReport => ({
    run_id: createHash("sha256")
      .update(`${service.service_id}/${service.environment}/${scheduledFor.toISOString()}`)
      .digest("hex")
      .slice(0, 32),
    service_id: service.service_id,
    environment: service.environment,
    scheduled_for: scheduledFor.toISOString(),
    started_at: null,
    ended_at: null,
    outcome: "skipped",
    reason: null,
  });

  const start = async (service: DesiredService, run: CronRunReport): Promise<void> => {
    const spec = instanceSpec({
      service,
      clusterId: deps.clusterId,
      slot: 0,
      machineCpuMillis: deps.engine.machine.cpuMillis,
      run: { id: run.run_id, scheduledFor: run.scheduled_for },
    });
    const result = await deps.engine.start(spec);
    const now = new Date().toISOString();
    if (result.kind === "refused")
      return book.record({
        ...run,
        outcome: "failed",
        started_at: now,
        ended_at: now,
        reason: result.refusal.reason,
      });
    book.record({ ...run, outcome: "running", started_at: now });
    admit(result.instance, service);
  };
  const handleEndings = async (): Promise<void> => {
    for (const id of ended) {
      ended.delete(id);
      const live = lives.get(id);
      const exit = live && live.state !== "retiring" ? (await deps.engine.find(id))?.exit : undefined;
      if (!live || !exit) continue;
      const run = book.find(label(live.instance.labels, "run-id"));
      const outcome = outcomeOf(exit);
      const reason =
        outcome === "succeeded"
          ? null
          : exit.isLost
            ? "the machine stopped while it ran"
            : (await describeEnding(live, exit, desired?.command ?? null)).reason;
      const endedAt = outcome === "unknown" ? null : new Date().toISOString();
      if (run) book.record({ ...run, outcome, ended_at: endedAt, reason });
      release(live);
    }
  };
  const cutOff = (run: CronRunReport, reason: string): void =>
    book.record({ ...run, outcome: "failed", ended_at: new Date().toISOString(), reason });
  const adopt = (service: DesiredService): void => {
    for (const instance of strangers) admit(instance, service);
    strangers = [];
    const present = new Set([...lives.values()].map((live) => label(live.instance.labels, "run-id")));
    for (const run of book.unfinished())
      if (!present.has(run.run_id))
        book.record({
          ...run,
          outcome: "unknown",
          reason:
            "nobody looked when it ended, and how it did is not known: what ran was gone when Shuttle came back",
        });
  };

  const apply = async (service: DesiredService, documentVersion: number): Promise<Again> => {
    [desired, version] = [service, documentVersion];
    adopt(service);
    await handleEndings();
    fault =
      scheduleFault(service.schedule) ??
      ((await deps.engine.hasImage(service.image)) ? undefined : reasonOfMissingImage(service.image));
    if (scheduleFault(service.schedule)) return undefined;
    return takeDue(service, (run) => {
      const busy = running();
      if (!busy) return start(service, run);
      return book.record({
        ...run,
        reason: `the run of ${label(busy.instance.labels, "scheduled-for")} was still going`,
      });
    });
  };
  const takeDue = async (
    service: DesiredService,
    onTime: (run: CronRunReport) => Promise<void> | void,
  ): Promise<Again> => {
    const now = new Date();
    const { runs, next } = dueRuns(service.schedule!, book.seenUntil(now), now);
    for (const { at, isLate } of runs) {
      if (isLate) book.record({ ...runOf(service, at), reason: missed });
      else await onTime(runOf(service, at));
      book.setSeenUntil(at);
    }
    return next && { inMs: Math.max(1, Math.min(lookEveryMs, next.getTime() - Date.now())) };
  };
  /** Looks after a run that goes on, and begins none. */
  const watch = async (service: DesiredService, documentVersion: number): Promise<Again> => {
    if (!desired) [desired, version] = [service, documentVersion];
    const known = desired;
    adopt(known);
    await handleEndings();
    if (scheduleFault(known.schedule)) return undefined;
    return takeDue(known, (run) => book.record({ ...run, reason: leftAlone }));
  };

  const report = (): StatusReport | undefined =>
    desired && {
      service_id: desired.service_id,
      environment: desired.environment,
      deployment_id: desired.provenance.deployment_id,
      observed_version: version,
      phase: fault ? "failed" : "scheduled",
      ready_replicas: 0,
      desired_replicas: 0,
      restarts: 0,
      reason: fault ?? null,
      serving_deployment_id: fault ? null : desired.provenance.deployment_id,
      ...runsKnown(book.ids()),
    };

  return {
    apply,
    watch,
    report,
    ended(id: string): boolean {
      if (!lives.has(id)) return false;
      ended.add(id);
      changed();
      return true;
    },
    /** What goes on is about to be stopped with the platform; what ended before is told as it did. */
    async platformEnds(): Promise<void> {
      for (const id of lives.keys()) ended.add(id);
      await handleEndings();
      const run = book.find(label(running()?.instance.labels ?? {}, "run-id"));
      if (run) cutOff(run, "it was stopped together with the platform");
    },
    async remove(): Promise<void> {
      for (const instance of strangers) await deps.engine.remove(instance.id);
      for (const run of book.unfinished()) cutOff(run, "the service was removed");
      for (const live of lives.values()) {
        if (live.state !== "retiring") release(live, (desired?.drain_seconds ?? 10) * 1_000);
      }
      await background.settled();
    },
    async leave(patienceMs = 0): Promise<void> {
      closing.abort();
      await Promise.race([Promise.all([...lives.values()].map((live) => live.pump.done)), pause(patienceMs)]);
      for (const live of lives.values()) live.attending.abort();
      await Promise.all([...lives.values()].map((live) => live.pump.stop()));
      await background.settled();
    },
  };
}

/** A process that went without leaving its exit code was seen to be gone, and not how it ended. */
const outcomeOf = ({ exitCode, isOom, isLost, signal }: InstanceExit): CronRunReport["outcome"] =>
  exitCode === 0 && !isOom
    ? "succeeded"
    : exitCode === null && signal === null && !isOom && !isLost
      ? "unknown"
      : "failed";
