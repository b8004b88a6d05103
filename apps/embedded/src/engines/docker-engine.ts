import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  closeEngineNetwork,
  openEngineNetwork,
  wrapFirewall,
  type EngineNetwork,
} from "@starform/std/engine-network";
import { wallEngine, type EngineWalls } from "@starform/std/engine-walls";
import { findProgram } from "../debian-packages.ts";
import type { Program } from "../supervisor/program.ts";
import { endContainerd, removeEngineTraces } from "./engine-traces.ts";

/** The socket of an engine that already runs on this machine and answers us. */
export async function findSystemEngine(dockerHost: string | undefined): Promise<string | undefined> {
  const named = dockerHost?.startsWith("unix://") ? [dockerHost.slice("unix://".length)] : [];
  const usual = ["/var/run/docker.sock", join(homedir(), ".docker/run/docker.sock")];
  for (const path of dockerHost ? named : usual) if (existsSync(path) && (await answers(path))) return path;
  return undefined;
}

/** Whether an engine of our own can be tried here. */
export const canRunOwnEngine = (): boolean =>
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  ["dockerd", "iptables", "ip"].every((name) => findProgram(name) !== undefined);

/**
 * A Docker Engine with data, socket, bridge, firewall chains and cgroup of its own, so that it disturbs no other.
 * Its socket lies in /run, because the path of a socket must be short. What it builds is kept behind walls.
 */
export function ownEngineProgram(
  dataDir: string,
  within: EngineWalls,
): { program: Program; socketPath: string } {
  const id = createHash("sha256").update(dataDir).digest("hex").slice(0, 8);
  const dir = `/run/starform-${id}`;
  const socketPath = join(dir, "docker.sock");
  const cgroup = `starform-docker-${id}`;
  let network: EngineNetwork | undefined = recordedNetwork(dir);
  let walls: string[] = [];
  const settings = (): Record<string, string> => ({
    "data-root": join(dataDir, "docker"),
    "exec-root": join(dir, "exec"),
    pidfile: join(dir, "dockerd.pid"),
    host: `unix://${socketPath}`,
    "config-file": join(dir, "daemon.json"),
    "cgroup-parent": `/${cgroup}`,
    bridge: network?.bridge ?? "",
    "default-address-pool": `base=${network?.base}/20,size=26`,
    "userland-proxy": "false",
    "shutdown-timeout": "10",
    "exec-opt": "native.cgroupdriver=cgroupfs",
  });
  const args = () => Object.entries(settings()).map(([name, value]) => `--${name}=${value}`);
  const path = () => [join(dir, "bin"), process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(":");
  const program: Program = {
    name: "docker",
    after: [],
    async prepare() {
      mkdirSync(dir, { recursive: true, mode: 0o711 });
      // Before the first start, or dockerd sets the machine's FORWARD policy to DROP.
      writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
      if (network && !existsSync(`/sys/class/net/${network.bridge}`)) network = undefined;
      network ??= openEngineNetwork(id);
      writeFileSync(join(dir, "network.json"), JSON.stringify(network));
      writeFileSync(join(dir, "daemon.json"), JSON.stringify(engineConfig(dataDir)));
      rmSync(join(dir, "dockerd.pid"), { force: true });
      // After kill -9 the engine would wait 15 s for a containerd that its pid file wrongly says is alive.
      await endContainerd(join(dir, "exec/containerd"));
      wrapFirewall(join(dir, "bin"), network);
      walls = await wallEngine(network, within);
    },
    get command() {
      const [file = "dockerd", ...rest] = [...walls, findProgram("dockerd") ?? "dockerd", ...args()];
      return { file, args: rest, env: { PATH: path() } };
    },
    isReady: () => answers(socketPath),
    stopSignal: "SIGTERM",
    stopWithinMs: 40_000,
    async cleanUp() {
      await removeEngineTraces({ dir, dataRoot: join(dataDir, "docker"), cgroup });
      if (network) closeEngineNetwork(network);
      network = undefined;
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return { program, socketPath };
}

const gigabyte = 1e9;

/** Without it the engine's builder keeps the layers and cache mounts of every build there ever was. */
function engineConfig(dataDir: string): object {
  const { blocks, bsize } = statfsSync(dataDir);
  const keepGb = Math.min(30, Math.max(2, Math.floor((blocks * bsize) / 10 / gigabyte)));
  return { builder: { gc: { enabled: true, defaultKeepStorage: `${keepGb}GB` } } };
}

function recordedNetwork(dir: string): EngineNetwork | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, "network.json"), "utf8")) as EngineNetwork;
  } catch {
    return undefined;
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ socketPath, path: "/_ping", timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(false));
    sent.once("close", () => resolve(false));
    sent.end();
  });
}
