import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, openSync, closeSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  closeEngineNetwork,
  openEngineNetwork,
  wrapFirewall,
  type EngineNetwork,
} from "@starform/std/engine-network";
import { wallEngine, type EngineWalls } from "@starform/std/engine-walls";

export type DockerEngine = { readonly socketPath: string } & AsyncDisposable;

/** `walls`: what it builds is kept behind them; see engine-walls. */
export type EngineOptions = { readonly walls?: EngineWalls };

const prefix = "starform-docker-";
const cgroupRoot = "/sys/fs/cgroup";

/**
 * `TEST_DOCKER_BIN` names a folder with another version's programs, flat or as `dpkg -x` lays a package out; what it
 * lacks (runc, mostly) is taken from the machine. A `daemon.json` in it is that engine's configuration.
 */
const otherVersion = process.env["TEST_DOCKER_BIN"];
const otherPlaces = otherVersion ? ["", "usr/sbin", "usr/bin"].map((below) => join(otherVersion, below)) : [];

/** True when a private Docker Engine can be started here: Linux, root, and `dockerd` on the path. */
export function dockerAvailable(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  if (otherVersion && !otherPlaces.some((dir) => existsSync(join(dir, "dockerd"))))
    throw new Error(`TEST_DOCKER_BIN is ${otherVersion}, and there is no dockerd in it`);
  return searchPath().some((dir) => existsSync(join(dir, "dockerd")));
}

const searchPath = (): string[] => [
  ...otherPlaces,
  ...(process.env["PATH"] ?? "").split(delimiter),
  "/usr/sbin",
  "/usr/bin",
  "/usr/local/bin",
  "/sbin",
];

/**
 * Whether a test that needs an engine runs: true where one can be started, false on a laptop without one.
 * Throws where `CI` is set and there is none, so that a gate which tests nothing cannot pass.
 */
export function requireEngineInCi(): boolean {
  const available = dockerAvailable();
  if (!available && process.env["CI"])
    throw new Error("CI must test against a real Docker Engine: install Debian's docker.io and run as root");
  return available;
}

/**
 * Starts a Docker Engine of its own with private data, socket, bridge, firewall chains and cgroup.
 * Several may run at once. Disposal removes its containers and everything it made on the machine.
 */
export async function openDockerEngine({ walls }: EngineOptions = {}): Promise<DockerEngine> {
  sweepDeadEngines();
  const id = randomBytes(4).toString("hex");
  const dir = await mkdtemp(join(tmpdir(), prefix));
  // Before the first start, or dockerd sets the machine's FORWARD policy to DROP.
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  const network = openEngineNetwork(id);
  writeFileSync(join(dir, "owner.json"), JSON.stringify({ pid: process.pid, id, network }));
  const giveUp = async (error: unknown): Promise<never> => {
    removeTraces(dir, id, network);
    await rm(dir, { recursive: true, force: true });
    throw error;
  };
  const inFront = walls ? await wallEngine(network, walls).catch(giveUp) : [];
  const daemon = startDaemon(dir, id, { network, inFront });
  const socketPath = join(dir, "docker.sock");
  try {
    await untilAnswers(socketPath, daemon, join(dir, "dockerd.log"));
  } catch (error) {
    await stopDaemon(dir, daemon);
    removeTraces(dir, id, network);
    throw error;
  }
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      await emptyEngine(socketPath).catch(() => undefined);
      await stopDaemon(dir, daemon);
      removeTraces(dir, id, network);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function startDaemon(
  dir: string,
  id: string,
  { network, inFront }: { network: EngineNetwork; inFront: readonly string[] },
): ChildProcess {
  const log = openSync(join(dir, "dockerd.log"), "w");
  const bin = wrapFirewall(join(dir, "bin"), network);
  const options = {
    "data-root": join(dir, "data"),
    "exec-root": join(dir, "exec"),
    pidfile: join(dir, "dockerd.pid"),
    host: `unix://${join(dir, "docker.sock")}`,
    "config-file": join(dir, "daemon.json"),
    bridge: network.bridge,
    "default-address-pool": `base=${network.base}/20,size=26`,
    "userland-proxy": "false",
    "shutdown-timeout": "3",
    "exec-opt": "native.cgroupdriver=cgroupfs",
    "cgroup-parent": `/starform-docker-${id}`,
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  writeFileSync(join(dir, "daemon.json"), configOf());
  const path = [bin, ...searchPath()].join(delimiter);
  const program = otherPlaces.map((place) => join(place, "dockerd")).find(existsSync) ?? "dockerd";
  const [file = program, ...rest] = [...inFront, program, ...args];
  const daemon = spawn(file, rest, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, PATH: path },
  });
  daemon.on("error", () => undefined);
  daemon.unref();
  closeSync(log);
  return daemon;
}

function configOf(): string {
  const file = join(otherVersion ?? "", "daemon.json");
  return otherVersion && existsSync(file) ? readFileSync(file, "utf8") : "{}";
}

async function untilAnswers(socketPath: string, daemon: ChildProcess, log: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const status = await call(socketPath, "GET", "/_ping").catch(() => undefined);
    if (status?.status === 200) return;
    if (daemon.exitCode !== null || daemon.pid === undefined || Date.now() > deadline)
      throw new Error(`dockerd did not start; its last lines:\n${readFileSync(log, "utf8").slice(-3000)}`);
    await delay(50);
  }
}

async function emptyEngine(socketPath: string): Promise<void> {
  const containers = JSON.parse((await call(socketPath, "GET", "/containers/json?all=1")).body) as {
    Id: string;
  }[];
  for (const { Id } of containers) await call(socketPath, "DELETE", `/containers/${Id}?force=1&v=1`);
  const networks = JSON.parse((await call(socketPath, "GET", "/networks")).body) as {
    Id: string;
    Name: string;
  }[];
  for (const { Id, Name } of networks)
    if (!["bridge", "host", "none"].includes(Name)) await call(socketPath, "DELETE", `/networks/${Id}`);
}

async function stopDaemon(dir: string, daemon: ChildProcess): Promise<void> {
  if (daemon.pid === undefined) return;
  const deadline = Date.now() + 20_000;
  signal(daemon.pid, "SIGTERM");
  while (daemon.exitCode === null && daemon.signalCode === null && Date.now() < deadline) await delay(25);
  killLeft(dir);
  while (processesOf(dir).length > 0 && Date.now() < deadline + 5_000) await delay(25);
}

/** dockerd's own children (containerd and its shims) name the engine's folder on their command line. */
function processesOf(dir: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandLine(pid).includes(`${dir}/`))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

const killLeft = (dir: string): void => processesOf(dir).forEach((pid) => signal(pid, "SIGKILL"));

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone, which is what was wanted.
  }
}

function removeTraces(dir: string, id: string, network: EngineNetwork): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const point of mounts.filter((mount) => mount.startsWith(`${dir}/`)).toReversed())
    quietly(() => execFileSync("umount", ["-l", point], { stdio: "ignore" }));
  closeEngineNetwork(network);
  const name = `starform-docker-${id}`;
  const roots = [
    join(cgroupRoot, name),
    ...readdirSync(cgroupRoot).map((controller) => join(cgroupRoot, controller, name)),
  ];
  const there = roots.filter((path) => existsSync(path));
  there.forEach(killMembers);
  for (const root of there)
    quietly(() =>
      execFileSync("find", [root, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], { stdio: "ignore" }),
    );
}

/** A build that ran when its engine was stopped runs on, for its container is the builder's own. */
function killMembers(root: string): void {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith("cgroup.procs"),
  );
  for (const file of files)
    quietly(() => {
      const pids = readFileSync(join(root, file), "utf8").split("\n").filter(Boolean);
      pids.forEach((pid) => signal(Number(pid), "SIGKILL"));
    });
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Clean-up goes on with the next thing.
  }
}

/** A test run that was killed leaves its engine behind: the next one takes it away. */
function sweepDeadEngines(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix)))
    quietly(() => {
      const dir = join(tmpdir(), name);
      const owner = JSON.parse(readFileSync(join(dir, "owner.json"), "utf8")) as {
        pid: number;
        id: string;
        network: EngineNetwork;
      };
      if (existsSync(`/proc/${owner.pid}`)) return;
      killLeft(dir);
      removeTraces(dir, owner.id, owner.network);
      execFileSync("rm", ["-rf", dir]);
    });
}

function call(socketPath: string, method: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, timeout: 20_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error(`the engine did not answer ${method} ${path}`)));
    sent.on("error", reject).end();
  });
}
