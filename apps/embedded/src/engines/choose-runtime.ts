import { Fault, wordsOf } from "@starform/std/fault";
import type { DataDir } from "../data-dir/data-dir.ts";
import { portsFrom } from "../options/ports.ts";
import type { StartOptions } from "../options/start-options.ts";
import type { Say } from "../platform/progress.ts";
import type { Program, SupervisorEvent } from "../supervisor/program.ts";
import { openSupervisor, type Supervisor } from "../supervisor/supervisor.ts";
import { canRunOwnEngine, findSystemEngine, ownEngineProgram } from "./docker-engine.ts";

/** What runs apps, and where its engine listens. */
export type RuntimeAddress = {
  readonly kind: "docker" | "process";
  readonly dockerSocket: string | undefined;
};
/** Known before an engine of our own has started, which may fail. */
export type ExpectedRuntime = RuntimeAddress & {
  /** The engine that is to be started for it. */
  readonly ownEngine: Program | undefined;
};
export type Runtime = RuntimeAddress & {
  /** Keeps the engine running, if it is our own. */
  readonly engine: Supervisor | undefined;
};

/** Of an engine that ran before: its owner's, so nothing of ours bounds or walls what is built there. */
export const unboundedBuilds = ({ kind, engine }: Runtime): { areBuildsUnbounded?: true } =>
  kind === "docker" && engine === undefined ? { areBuildsUnbounded: true } : {};

const processes = { kind: "process", dockerSocket: undefined } as const;

type Wanted = Pick<StartOptions, "runtime" | "dockerHost">;

/** Rejects if Docker is demanded and no engine can come: none answers, and none of our own can be tried here. */
export async function refuseMissingEngine({ runtime, dockerHost }: Wanted): Promise<void> {
  if (runtime !== "docker" || canRunOwnEngine() || (await findSystemEngine(dockerHost))) return;
  throw new Fault(
    "unavailable",
    "--runtime docker needs a Docker Engine, none answers, and one can only be started on Linux as root with docker.io, iptables and iproute2 installed. Start Docker, or use --runtime process.",
  );
}

/** `auto` takes Docker where an engine answers or one of our own can be tried; rejects as `refuseMissingEngine` does. */
export async function expectRuntime(
  options: Wanted & Pick<StartOptions, "portBase" | "databaseUrl">,
  dataDir: string,
): Promise<ExpectedRuntime> {
  if (options.runtime === "process") return { ...processes, ownEngine: undefined };
  const socket = await findSystemEngine(options.dockerHost);
  if (socket) return { kind: "docker", dockerSocket: socket, ownEngine: undefined };
  await refuseMissingEngine(options);
  if (!canRunOwnEngine()) return { ...processes, ownEngine: undefined };
  const { api, registry } = portsFrom(options.portBase);
  const { databaseUrl } = options;
  const { program, socketPath } = ownEngineProgram(dataDir, {
    loopbackPorts: [api, registry],
    deniedHosts: databaseUrl ? [new URL(databaseUrl).hostname].filter(Boolean) : [],
  });
  return { kind: "docker", dockerSocket: socketPath, ownEngine: program };
}

/** Starts the engine that was expected: one that fails leaves apps to processes, or is a Fault if Docker is demanded. */
export async function openRuntime(
  { ownEngine, ...expected }: ExpectedRuntime,
  { runtime }: Pick<Wanted, "runtime">,
  at: { dataDir: DataDir; say: Say; onEvent(event: SupervisorEvent): void; signal: AbortSignal },
): Promise<Runtime> {
  if (!ownEngine) return { ...expected, engine: undefined };
  try {
    return { ...expected, engine: await startEngine(ownEngine, at) };
  } catch (error) {
    if (runtime === "docker" || at.signal.aborted) throw error;
    at.say(
      `- Docker does not run here, so apps run as processes (logs/docker.log says why: ${wordsOf(error).split("\n").at(-1)?.trim()})`,
    );
    return { ...processes, engine: undefined };
  }
}

async function startEngine(
  program: Program,
  { dataDir, onEvent, signal }: Parameters<typeof openRuntime>[2],
): Promise<Supervisor> {
  const engine = openSupervisor([program], { runDir: dataDir.runDir, logDir: dataDir.logDir, onEvent });
  try {
    await engine.start({ withinMs: 30_000, attemptsMax: 2, signal });
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
