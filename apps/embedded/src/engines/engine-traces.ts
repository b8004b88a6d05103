import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { signalProcess } from "@starform/std/process";
import { until } from "@starform/std/retry";

const run = promisify(execFile);

/** Ends what a stopped engine left: shims and containers, mounts, control groups. */
export async function removeEngineTraces({
  dir,
  dataRoot,
  cgroup,
}: {
  dir: string;
  dataRoot: string;
  cgroup: string;
}): Promise<void> {
  const left = () => processesNaming([`${dir}/`, `${dataRoot}/`]);
  for (const pid of left()) signalProcess(pid, "SIGKILL");
  await until("the engine's processes to end", () => left().length === 0, { withinMs: 10_000 }).catch(
    () => undefined,
  );
  const isOurs = (point: string) =>
    [dir, dataRoot].some((own) => point === own || point.startsWith(`${own}/`));
  for (const point of mountPoints().filter(isOurs).toReversed())
    await run("umount", ["-l", point]).catch(() => undefined);
  const root = "/sys/fs/cgroup";
  const groups = [root, ...readdirSync(root).map((name) => join(root, name))]
    .map((parent) => join(parent, cgroup))
    .filter(existsSync);
  for (const group of groups)
    await run("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]).catch(() => undefined);
}

/** Ends an orphaned containerd and forgets it; the shims, and with them the containers, live on. */
export async function endContainerd(dir: string): Promise<void> {
  const left = () => processesNaming([`${dir}/containerd.toml`]);
  for (const pid of left()) signalProcess(pid, "SIGKILL");
  await until("containerd to end", () => left().length === 0, { withinMs: 5_000 }).catch(() => undefined);
  for (const name of ["containerd.pid", "containerd.sock", "containerd.sock.ttrpc", "containerd-debug.sock"])
    rmSync(join(dir, name), { force: true });
}

function processesNaming(paths: string[]): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => paths.some((path) => commandLine(pid).includes(path)))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return /^[^\0]*(containerd|dockerd|runc|docker-proxy)/.test(text) ? text : "";
  } catch {
    return "";
  }
}

const mountPoints = (): string[] =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
