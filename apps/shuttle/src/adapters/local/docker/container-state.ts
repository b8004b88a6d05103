import { constants } from "node:os";
import type { GatewayDoor } from "@starform/contract/gateway";
import { containerPort } from "@starform/contract/hosts";
import type { Instance, InstanceExit } from "../engine.ts";
import { label } from "../labels.ts";
import { instanceLabel, portLabel } from "./container-spec.ts";

/** What `GET /containers/<id>/json` answers, as far as it is looked at. */
export type Inspected = {
  readonly Id: string;
  readonly Created: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly Config: { readonly Labels: Record<string, string> | null };
  readonly NetworkSettings: {
    readonly Ports: Record<string, readonly { HostIp: string; HostPort: string }[] | null> | null;
    readonly Networks: Record<
      string,
      { readonly IPAddress: string; readonly Gateway?: string; readonly IPPrefixLen?: number }
    > | null;
  };
};

/** A container as the instance it is. `isLost` is for who watched: whether it ended with the engine. */
export function toInstance(
  seen: Inspected,
  { publishes, isLost }: { publishes: boolean; isLost: boolean },
): Instance {
  const labels = seen.Config.Labels ?? {};
  const port = Number(labels[portLabel] ?? "") || null;
  const { State: state } = seen;
  const hasEnded = !state.Running && state.Status !== "created" && state.Status !== "restarting";
  return {
    id: labels[instanceLabel] ?? "",
    labels,
    port,
    address: port === null || !state.Running ? null : addressOf(seen, port, publishes),
    door: publishes ? null : doorOf(seen),
    startedAtMs: Date.parse(state.StartedAt),
    exit: hasEnded ? exitOf(state, isLost) : undefined,
  };
}

/** The machine's own address in the container's network. */
function doorOf({ NetworkSettings: { Networks } }: Inspected): GatewayDoor | null {
  const own = Object.values(Networks ?? {}).find(({ IPAddress }) => IPAddress);
  return own?.Gateway && own.IPPrefixLen ? doorAt(own.Gateway, own.IPPrefixLen) : null;
}

export const doorAt = (machine: string, prefixLength: number): GatewayDoor => ({
  host: machine,
  port: containerPort,
  from: `${machine}/${prefixLength}`,
});

function addressOf(
  { NetworkSettings: { Ports, Networks } }: Inspected,
  port: number,
  publishes: boolean,
): Instance["address"] {
  if (publishes) {
    const bound = Ports?.[`${port}/tcp`]?.[0];
    return bound ? { host: "127.0.0.1", port: Number(bound.HostPort) } : null;
  }
  const host = Object.values(Networks ?? {}).find(({ IPAddress }) => IPAddress)?.IPAddress;
  return host ? { host, port } : null;
}

/** Exits of a process that did not choose them. */
const unchosen = new Set([137, 143, 255]);
/** The engine breaks off its events before it ends what runs in it. */
const slackMs = 2_000;

/**
 * Whether an end that nobody saw as it happened was the engine's or the machine's doing, and no crash: it came while
 * the engine was away, or it is how a process ends that is told to. A cron's run that succeeded has succeeded.
 */
export function endedWithEngine(
  { State: state, Config }: Inspected,
  awaySinceMs: number | undefined,
): boolean {
  if (state.OOMKilled) return false;
  const isRun = label(Config.Labels ?? {}, "run-id") !== "";
  if (state.ExitCode === 0) return !isRun;
  return (
    unchosen.has(state.ExitCode) ||
    (awaySinceMs !== undefined && Date.parse(state.FinishedAt) >= awaySinceMs - slackMs)
  );
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** The init process hands a signal on as 128 and its number, like a shell. */
function exitOf({ ExitCode: code, OOMKilled: isOom }: Inspected["State"], isLost: boolean): InstanceExit {
  if (isLost) return { exitCode: null, signal: null, isOom: false, isLost };
  const signal = code > 128 ? (signalNames.get(code - 128) ?? null) : null;
  return { exitCode: code, signal, isOom, isLost };
}
