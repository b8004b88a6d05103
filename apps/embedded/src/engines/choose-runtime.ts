import { Fault, wordsOf } from "@starform/std/fault";
import type { DataDir } from "../data-dir/data-dir.ts";
import { portsFrom } from "../options/ports.ts";
import type { StartOptions } from "../options/start-options.ts";
import type { Say } from "../platform/progress.ts";
import type { SupervisorEvent } from "../supervisor/program.ts";
import { openSupervisor, type Supervisor } from "../supervisor/supervisor.ts";
import { canRunOwnEngine, findSystemEngine, ownEngineProgram } from "./docker-engine.ts";

export type Runtime = {
  readonly kind: "docker" | "process";
  readonly dockerSocket: string | undefined;
  /** Keeps the engine running, if it is our own. */
  readonly engine: Supervisor | undefined;
};

const processes: Runtime = { kind: "process", dockerSocket: undefined, engine: undefined };

type Wanted = Pick<StartOptions, "runtime" | "dockerHost">;

/** Rejects if Docker is demanded and no engine can come: none answers, and none of our own can be tried here. */
export async function refuseMissingEngine({ runtime, dockerHost }: Wanted): Promise<void> {
  if (runtime !== "docker" || canRunOwnEngine() || (await findSystemEngine(dockerHost))) return;
  throw new Fault(
    "unavailable",
    "--runtime docker needs a Docker Engine, none answers, and one can only be started on Linux as root with docker.io, iptables and iproute2 installed. Start Docker, or use --runtime process.",
  );
}

/** `auto` takes Docker where an engine answers or one of our own starts; a demanded Docker that fails is a Fault. */
export async function chooseRuntime(
  options: Wanted & Pick<StartOptions, "portBase">,
  at: { dataDir: DataDir; say: Say; onEvent(event: SupervisorEvent): void; signal: AbortSignal },
): Promise<Runtime> {
  if (options.runtime === "process") return processes;
  const socket = await findSystemEngine(options.dockerHost);
  if (socket) return { kind: "docker", dockerSocket: socket, engine: undefined };
  const isDemanded = options.runtime === "docker";
  await refuseMissingEngine(options);
  if (!canRunOwnEngine()) return processes;
  try {
    return await startOwnEngine(options, at);
  } catch (error) {
    if (isDemanded || at.signal.aborted) throw error;
    at.say(
      `- Docker does not run here, so apps run as processes (logs/docker.log says why: ${wordsOf(error).split("\n").at(-1)?.trim()})`,
    );
    return processes;
  }
}

async function startOwnEngine(
  { portBase }: Pick<StartOptions, "portBase">,
  { dataDir, onEvent, signal }: Parameters<typeof chooseRuntime>[1],
): Promise<Runtime> {
  const { api, registry } = portsFrom(portBase);
  const { program, socketPath } = ownEngineProgram(dataDir.path, [api, registry]);
  const engine = openSupervisor([program], { runDir: dataDir.runDir, logDir: dataDir.logDir, onEvent });
  try {
    await engine.start({ withinMs: 30_000, attemptsMax: 2, signal });
    return { kind: "docker", dockerSocket: socketPath, engine };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
