import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, chownSync, watch, type FSWatcher } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import type { Engine, Instance, InstanceExit, InstanceSpec, StartResult } from "../engine.ts";
import { metadataWall } from "../metadata-wall.ts";
import { findAppTools } from "./app-tools.ts";
import { openCgroups, type Cgroups } from "./cgroups.ts";
import { probeConfinement, unconfined } from "./confinement.ts";
import { appProcesses, askToEnd, endNow } from "./end-processes.ts";
import { followOutput } from "./follow-output.ts";
import { freePort } from "./free-port.ts";
import { launchable } from "./launchable.ts";
import { imageStore } from "./image-store.ts";
import { instanceFiles } from "./instance-files.ts";
import { writeLauncher } from "./launcher.ts";
import { listeningSockets, processTable } from "./process-table.ts";
import { usageOfProcesses } from "./process-usage.ts";

export type ProcessEngineOptions = {
  /** Shuttle's own directory; instances, volumes and their output lie below it. */
  readonly dir: string;
  readonly imagesDir: string;
  /** Where programs are looked for. */
  readonly searchPath: string;
  /** `none` leaves out the sandbox and the limits even where the machine has them. */
  readonly confinement?: "auto" | "none";
  /** Told once what this machine cannot hold apart. */
  readonly warn: (sentence: string) => void;
};

/**
 * Instances as processes of this machine: bubblewrap and control groups where it allows them. They run on without
 * Shuttle and are found again by what their keeper wrote down.
 */
export async function openProcessEngine(options: ProcessEngineOptions): Promise<Engine> {
  const files = instanceFiles(join(options.dir, "instances"));
  const images = imageStore(options.imagesDir);
  const tools = findAppTools(options.searchPath);
  const isPlain = options.confinement === "none";
  const confinement = isPlain ? unconfined : await probeConfinement(options.dir, options.searchPath);
  const found =
    process.platform === "linux" && !isPlain
      ? openCgroups(groupName(options.dir))
      : { missing: "there are no control groups here" };
  const groups: Cgroups | undefined = "missing" in found ? undefined : found;
  for (const warning of [
    ...confinement.warnings,
    ...("missing" in found ? [`memory and processor of apps are not limited: ${found.missing}`] : []),
  ])
    options.warn(warning);
  const wall = metadataWall({ owner: options.dir, hook: "OUTPUT", warn: options.warn });
  const keepWalled = async (): Promise<void> =>
    confinement.setpriv
      ? wall.around([`-m owner --uid-owner ${uidMin}-${uidMin + uidCount - 1}`])
      : wall.lacks("they do not run as users of their own, whom a firewall could tell from others");
  await keepWalled();

  const listeners = new Set<(id: string) => void>();
  const watchers = new Map<string, FSWatcher>();
  const tell = (id: string): void => listeners.forEach((listener) => listener(id));
  const exitOf = (id: string): InstanceExit | undefined => {
    const exitCode = files.exitCode(id);
    if (exitCode === undefined && files.livePid(id) !== undefined) return undefined;
    const isOom = groups?.wasOom(id) ?? false;
    return {
      exitCode: exitCode ?? null,
      signal: null,
      isOom,
      isLost: exitCode === undefined && !files.isOfThisBoot(id),
    };
  };
  const read = (id: string): Instance | undefined => {
    const record = files.read(id);
    if (!record) return undefined;
    const { labels, port, startedAtMs } = record;
    return {
      id,
      labels,
      port,
      address: port === null ? null : { host: "127.0.0.1", port },
      door: null,
      startedAtMs,
      exit: exitOf(id),
    };
  };
  const attend = (id: string): void => {
    // The keeper's last act is to write `exit`; one that was itself killed is noticed by the slow look below.
    const watcher = watch(files.dirOf(id), (_event, name) => void (name === "exit" && tell(id)));
    watcher.on("error", () => undefined);
    watchers.set(id, watcher);
  };
  const look = setInterval(() => {
    for (const id of watchers.keys()) if (files.livePid(id) === undefined) tell(id);
  }, 2_000);
  for (const id of files.ids())
    if (files.read(id)) attend(id);
    // Shuttle was killed before it could write down what this was to be: nothing of it ever ran.
    else files.remove(id);

  const start = async (spec: InstanceSpec): Promise<StartResult> => {
    const ready = await launchable(spec, images, confinement);
    if ("refusal" in ready) return { kind: "refused", refusal: ready.refusal };
    await keepWalled();
    if (confinement.layer === "overlay" && confinement.setpriv) await images.open(spec.image);
    const taken = new Set(files.ids().map((id) => files.read(id)?.port));
    const port = spec.port !== null ? await freePort((candidate) => taken.has(candidate)) : null;
    const dir = files.create({
      id: spec.id,
      labels: spec.labels,
      port,
      startedAtMs: Date.now(),
      cpuMillis: spec.limits.cpuMillis,
    });
    groups?.create(spec.id, spec.limits);
    const uid = userOf(spec.labels);
    const volumes = spec.volumes.map(({ name, mountPath }) => ({
      source: ownVolume(join(options.dir, "volumes", name), confinement.setpriv ? uid : undefined),
      mountPath,
    }));
    const keeper = writeLauncher(
      {
        dir,
        image: ready.image,
        command: ready.command,
        hostname: spec.id,
        uid,
        volumes,
        env: { ...spec.env, ...(port === null ? {} : { PORT: String(port) }) },
        joinFiles: groups?.joinFiles(spec.id) ?? [],
        cgroupView: groups?.view(spec.id) ?? [],
      },
      { tools, confinement },
    );
    const child = spawn("/bin/sh", [keeper], {
      cwd: dir,
      detached: true,
      stdio: "ignore",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    files.setBorn(spec.id, child.pid!);
    child.once("exit", () => tell(spec.id));
    child.unref();
    attend(spec.id);
    return { kind: "started", instance: read(spec.id)! };
  };

  const end = async (id: string): Promise<void> =>
    endNow(
      files.livePid(id),
      () => groups?.pids(id) ?? [],
      () => files.livePid(id) !== undefined,
    );

  return {
    runtime: "process",
    isolatesNetwork: false,
    capabilities: [
      ...(groups ? [`cgroups-v${groups.version}`, "memory-limit", "cpu-limit", "process-limit"] : []),
      ...(confinement.bwrap ? ["sandbox"] : []),
      ...(confinement.layer === "none" ? [] : ["writable-app"]),
      ...(confinement.setpriv ? ["separate-users"] : []),
    ],
    machine: { cpuMillis: availableParallelism() * 1_000, memoryBytes: totalmem() },
    start,
    async stop(id, drainMs) {
      const keeper = files.livePid(id);
      const isAlive = (): boolean => files.livePid(id) !== undefined;
      if (keeper !== undefined) await askToEnd(keeper, isAlive, performance.now() + drainMs);
      const result = isAlive() ? "killed" : "ended";
      await end(id);
      return result;
    },
    async remove(id) {
      watchers.get(id)?.close();
      watchers.delete(id);
      await end(id);
      await groups?.remove(id);
      files.remove(id);
    },
    find: async (id) => read(id),
    list: async () => files.ids().flatMap((id) => read(id) ?? []),
    watch(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    output: (id, cursor, signal) =>
      followOutput(
        {
          dir: files.dirOf(id),
          isEnded: () => exitOf(id) !== undefined,
          frozen(work) {
            const pids = appProcesses(files.livePid(id) ?? -1).map((member) => member.pid);
            signalAll(pids, "SIGSTOP");
            try {
              work();
            } finally {
              signalAll(pids, "SIGCONT");
            }
          },
        },
        cursor,
        signal,
      ),
    async usage() {
      const table = processTable();
      return new Map(
        files.ids().flatMap((id) => {
          const keeper = files.livePid(id);
          if (keeper === undefined) return [];
          return [
            [
              id,
              groups?.usage(id) ?? usageOfProcesses(appProcesses(keeper, table).map((member) => member.pid)),
            ] as const,
          ];
        }),
      );
    },
    hasImage: async (image) => (await images.find(image)) !== undefined,
    async listeners(id) {
      const keeper = files.livePid(id);
      if (process.platform !== "linux") return undefined;
      return keeper === undefined ? [] : listeningSockets(appProcesses(keeper).map((member) => member.pid));
    },
    async setCpu(id, cpuMillis) {
      if (files.livePid(id) !== undefined) groups?.setCpu(id, cpuMillis);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(look);
      for (const watcher of watchers.values()) watcher.close();
      if (files.ids().length > 0) return;
      groups?.close();
      if (confinement.setpriv) await wall.around([]);
    },
  };
}

const groupName = (dir: string): string =>
  `starform-${createHash("sha256").update(dir).digest("hex").slice(0, 12)}`;

/** The users of apps; nobody else has these. */
const [uidMin, uidCount] = [720_000_000, 100_000_000];

/** One user per service, so that services cannot reach into each other even where the sandbox is missing. */
const userOf = (labels: Readonly<Record<string, string>>): number =>
  uidMin +
  (createHash("sha256")
    .update(labels["starform.io/service-id"] ?? "")
    .digest()
    .readUInt32BE() %
    uidCount);

function ownVolume(path: string, uid: number | undefined): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (uid !== undefined) chownSync(path, uid, uid);
  return path;
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
}
