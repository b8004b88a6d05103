import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@starform/std/retry";

/** What `npm start -- --detach --json` prints. */
export type PlatformDescription = {
  readonly dashboardUrl: string;
  readonly apiUrl: string;
  readonly appsDomain: string;
  readonly gatewayUrl: string;
  readonly gitUrl: string;
  readonly ownerLoginUrl: string;
  readonly ownerToken: string;
  readonly dataDir: string;
  readonly runtime: "docker" | "process" | "kubernetes";
  /** The engine's, as the docker program reads it; left out where there is none. */
  readonly dockerHost?: string;
  /** Where apps run, if not on this machine. */
  readonly cluster?: {
    readonly id: string;
    readonly kubernetesVersion: string;
    readonly registry: string | null;
  };
  readonly stores: Readonly<Record<string, string>>;
};
export type PlatformProcess = {
  name: string;
  state: string;
  pid?: number;
  restarts: number;
  lastExit?: string;
};
export type PlatformProcessName =
  | "postgres"
  | "telemetry"
  | "api"
  | "worker"
  | "shuttle"
  | "gateway"
  | "stardeck"
  | "metrics"
  | "registry"
  | "docker";

export type Platform = PlatformDescription &
  AsyncDisposable & {
    /** Every supervised process as `npm run status` tells it. */
    processes(): Promise<PlatformProcess[]>;
    /** `kill -9`; resolves when the process is gone, not when its successor is ready. */
    kill(name: PlatformProcessName): Promise<void>;
    /** Resolves when the process is ready, with another id than `exceptPid`. */
    untilReady(name: PlatformProcessName, exceptPid?: number): Promise<PlatformProcess>;
    /** What the process has written so far. */
    logs(name: PlatformProcessName | "supervisor"): string;
    /** Stops it and keeps the data; `openPlatform({ dataDir })` continues with them. */
    stop(): Promise<void>;
  };

export type PlatformOptions = {
  readonly runtime?: "auto" | "docker" | "process";
  /** Continue with these data; they are then not removed. Undefined makes a folder that goes with the platform. */
  readonly dataDir?: string;
  readonly portBase?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Further flags of `npm start`. */
  readonly flags?: readonly string[];
};

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [portsMax, portsPerPlatform] = [10_000, 10];

/**
 * Starts the real platform of this repository, exactly as a person would, in a data folder and on ports of its own,
 * and resolves when everything is ready. Rejects with what the command said if it does not start.
 */
export async function openPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "starform-story-"));
  const portBase = options.portBase ?? (await freePortBase());
  const flags = [
    "--data-dir",
    dataDir,
    "--port-base",
    String(portBase),
    "--runtime",
    options.runtime ?? "process",
    "--no-system-packages",
    ...(options.flags ?? []),
  ];
  const command = (name: PlatformCommand, ...args: string[]) => runPlatformCommand(name, args, options.env);
  const stop = async () => void (await command("stop", "--json", "--data-dir", dataDir));
  const dispose = async () => {
    await stop();
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  const description = await command("start", "--detach", "--json", ...flags)
    .then((said) => JSON.parse(said) as PlatformDescription)
    .catch(async (error: Error) => {
      await dispose();
      throw error;
    });
  const processes = async () =>
    (
      JSON.parse(await command("status", "--json", "--data-dir", dataDir)) as {
        processes?: PlatformProcess[];
      }
    ).processes ?? [];
  const find = async (name: string) => (await processes()).find((one) => one.name === name);
  return {
    ...description,
    processes,
    async kill(name) {
      const found = await find(name);
      if (!found?.pid) throw new Error(`${name} does not run: ${JSON.stringify(found)}`);
      const { pid } = found;
      process.kill(pid, "SIGKILL");
      await until(`${name} to be gone`, () => !isThere(pid));
    },
    untilReady: (name, exceptPid) =>
      until(
        `${name} to be ready`,
        async () => {
          const found = await find(name);
          return found?.state === "ready" && found.pid !== exceptPid ? found : undefined;
        },
        { withinMs: 60_000, everyMs: 200 },
      ),
    logs: (name) => readFileSync(join(dataDir, "logs", `${name}.log`), "utf8"),
    stop,
    [Symbol.asyncDispose]: dispose,
  };
}

type PlatformCommand = "start" | "stop" | "status";

/** Runs one of the platform's commands and answers its stdout; rejects with its stderr. */
export async function runPlatformCommand(
  name: PlatformCommand,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const script = join(root, `apps/embedded/bin/${name}.ts`);
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk: Buffer) => (said[name] += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${said.stderr}`);
  return said.stdout;
}

/** Test files that run at once look among ports of their own: what one has found is free until its platform is up. */
const [lanes, lane] = [20, Number(process.env["VITEST_POOL_ID"] ?? 0) % 20];
const given = new Set<number>();

/** The first of ten ports in a row that nobody has, outside the range the kernel gives to connections; never twice the same. */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const row = lane + lanes * Math.floor(Math.random() * (portsMax / portsPerPlatform / lanes));
    const base = 20_000 + row * portsPerPlatform;
    if (given.has(base)) continue;
    given.add(base);
    const free = await Promise.all(Array.from({ length: portsPerPlatform }, (_, n) => isFree(base + n)));
    if (free.every(Boolean)) return base;
  }
  throw new Error("no ten free ports in a row were found between 20000 and 30000");
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
