import type { DesiredService } from "@starform/contract/clusters";
import type { LogSink } from "../log-sink.ts";
import { attendInstance } from "./attend-instance.ts";
import type { Engine, Instance } from "./engine.ts";
import { keyOfLabels, label } from "./labels.ts";
import type { LocalTimings } from "./local-timings.ts";
import { pumpOutput, type OutputPump } from "./output-pump.ts";
import type { Warn } from "../../core/warn.ts";

/** What the orchestrator knows of one instance while it exists. */
export type LiveInstance = {
  readonly id: string;
  readonly instance: Instance;
  readonly slot: number;
  readonly checksum: string;
  readonly deploymentId: string;
  readonly pump: OutputPump;
  readonly attending: AbortController;
  state: "starting" | "ready" | "retiring";
  /** In the gateway's live table, or ready and without a port. */
  isServing: boolean;
  /** Where it was found to answer. */
  host: string;
  /** On the clock of `performance.now`, which no one sets. */
  readyAtMs: number | undefined;
  /** Why it is not ready yet. */
  lack: string | undefined;
  /** Given up by its probes. */
  condemned: string | undefined;
};

export type InstanceDeps = {
  readonly engine: Engine;
  readonly timings: LocalTimings;
  readonly sink: LogSink;
  readonly outputDir: string;
  readonly warn: Warn;
};

/** Takes an instance into care: its output is shipped, its probes are asked, and `changed` is told of what they say. */
export function takeIntoCare(
  deps: InstanceDeps,
  instance: Instance,
  service: DesiredService,
  isServing: boolean,
  changed: () => void,
): LiveInstance {
  const attending = new AbortController();
  const live: LiveInstance = {
    id: instance.id,
    instance,
    slot: Number(label(instance.labels, "slot")),
    checksum: label(instance.labels, "instance-checksum"),
    deploymentId: label(instance.labels, "deployment-id"),
    pump: pumpOutput(
      { engine: deps.engine, sink: deps.sink, dir: deps.outputDir, warn: deps.warn },
      instance,
    ),
    attending,
    state: isServing ? "ready" : "starting",
    isServing,
    host: instance.address?.host ?? "",
    readyAtMs: isServing ? performance.now() : undefined,
    lack: undefined,
    condemned: undefined,
  };
  if (instance.exit) return live;
  const changedIfCared = (): void => void (attending.signal.aborted || changed());
  const condemn = (reason: string): void => {
    live.condemned = reason;
    changedIfCared();
  };
  const events = {
    ready(host: string) {
      live.host = host;
      live.readyAtMs = performance.now();
      live.lack = undefined;
      if (live.state === "starting") live.state = "ready";
      deps.engine
        .setCpu(live.id, service.resources.cpu_millis)
        .catch((error: unknown) =>
          deps.warn(
            `the processor share of ${live.id} could not be set: ${String(error)}`,
            keyOfLabels(instance.labels),
          ),
        );
      changedIfCared();
    },
    lacks(reason: string | undefined) {
      if (live.lack === reason) return;
      live.lack = reason;
      changedIfCared();
    },
    timedOut: condemn,
    unhealthy: condemn,
  };
  void attendInstance(deps, instance, service, isServing, events, attending.signal).catch((error: unknown) =>
    deps.warn(`the probes of ${live.id} stopped: ${String(error)}`, keyOfLabels(instance.labels)),
  );
  return live;
}

/** Ends the care and forgets the instance with all that belongs to it; what it said is shipped before. */
export async function letGo(deps: InstanceDeps, live: LiveInstance): Promise<void> {
  live.attending.abort();
  const patience = Promise.withResolvers<void>();
  const timer = setTimeout(patience.resolve, 5_000);
  await Promise.race([live.pump.done, patience.promise]);
  clearTimeout(timer);
  await live.pump.stop();
  await deps.engine.remove(live.id);
  live.pump.forget();
}
