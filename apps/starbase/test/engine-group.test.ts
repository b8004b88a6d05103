import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { markName, markOf } from "../src/adapters/buildkit/build-mark.ts";
import { engineDisk } from "../src/adapters/buildkit/engine-disk.ts";
import { ownEngine } from "../src/adapters/buildkit/engine-group.ts";
import type { BuildStopped } from "../src/adapters/process-builder/build-stopped.ts";
import { machineAllows } from "./process-builder.ts";

const { cgroups } = await machineAllows();
const root = "/sys/fs/cgroup";
const controllers = existsSync(`${root}/cgroup.controllers`) ? [""] : ["memory", "pids", "cpu", "blkio"];

/** What an engine of ours leaves for others to see: its command line, its pid, its groups and the bundles of its steps. */
async function openTraces() {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(path.join(tmpdir(), "engine-group-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const parent = `/starform-docker-${path.basename(dir)}`;
  const dataRoot = path.join(dir, "data");
  const folders = (below: string) =>
    controllers.map((controller) => path.join(root, controller, parent, "buildkit", below));
  const steps: string[] = [];
  stack.defer(() => {
    for (const folder of [...steps.flatMap(folders), ...folders(""), ...folders("..")])
      if (existsSync(folder)) rmdirSync(folder);
  });
  const opened = stack.move();
  return {
    socket: path.join(dir, "docker.sock"),
    async start() {
      const options = [`--cgroup-parent=${parent}`, `--data-root=${dataRoot}`];
      const engine = spawn("/bin/sh", ["-c", "read forever", "dockerd", ...options]);
      opened.defer(() => void engine.kill("SIGKILL"));
      writeFileSync(path.join(dir, "dockerd.pid"), String(engine.pid));
      const isStarted = () => readFileSync(`/proc/${engine.pid}/cmdline`, "utf8").includes(dataRoot);
      await until("it has its command line", isStarted);
      return async () => {
        engine.kill("SIGKILL");
        await once(engine, "exit");
      };
    },
    dataRoot,
    /** `writesTo`: a folder that it mounts. */
    beginStep(step: string, mark?: string, writesTo?: string) {
      const bundle = path.join(dataRoot, "buildkit/executor", step);
      mkdirSync(bundle, { recursive: true });
      const source = path.join(bundle, `../hosts.${step}`);
      writeFileSync(source, `127.0.0.1\tlocalhost\n${mark ? `${mark}\t${markName}\n` : ""}`);
      const mounts = [
        { destination: "/etc/hosts", source, options: ["rbind", "ro"] },
        ...(writesTo ? [{ destination: "/kept", source: writesTo, options: ["rbind"] }] : []),
      ];
      writeFileSync(`${bundle}/config.json`, JSON.stringify({ mounts }));
      steps.push(step);
      for (const folder of folders(step)) mkdirSync(folder);
    },
    processesMaxOf: (step: string) =>
      folders(step)
        .map((folder) => path.join(folder, "pids.max"))
        .filter((file) => existsSync(file))
        .map((file) => Number.parseInt(readFileSync(file, "utf8"), 10))[0],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const bounds = (processesMax: number) => ({ memoryBytesMax: 2 ** 30, cpuMillisMax: 1_000, processesMax });

test.skipIf(!cgroups)(
  "a build keeps its bounds and its steps in an engine that was started anew",
  async () => {
    await using traces = await openTraces();
    const stop = await traces.start();
    const engine = ownEngine(traces.socket);
    const { group } = engine();
    const [one, other] = [markOf("one"), markOf("other")];
    const began: string[] = [];
    group!.bound(bounds(1_000), bounds(500));
    const told = {
      began: ({ mark }: { mark: string | undefined }) => void began.push(mark!),
      over: () => {},
    };
    using _one = group!.enter(one, bounds(60), told);
    traces.beginStep("first", one);
    await until("it is bounded", () => traces.processesMaxOf("first") === 60);

    await stop();
    await traces.start();
    using _other = engine().group!.enter(other, bounds(70), told);
    traces.beginStep("second", one);
    traces.beginStep("third", other);
    await until("they are bounded", () => traces.processesMaxOf("third") === 70);
    await until("they are bounded", () => traces.processesMaxOf("second") === 60);
    expect(began).toEqual([one, one, other]);
  },
);

test.skipIf(!cgroups)("what a step writes that has no mark is held to what its build may write", async () => {
  await using traces = await openTraces();
  await traces.start();
  const { group } = ownEngine(traces.socket)();
  const told = { began: () => {}, over: () => {} };
  using _ended = group!.enter(markOf("ended"), bounds(60), told);
  _ended[Symbol.dispose]();
  for (const mark of [undefined, markOf("ended")]) {
    const layer = path.join(traces.dataRoot, "overlay2", `of-${mark}`, "diff");
    const step = `step-${mark?.length}`;
    let free = 2 ** 40;
    const disk = engineDisk(traces.dataRoot, group!.chargedFolders, async () => (free -= 2 ** 20));
    const { promise, resolve } = Promise.withResolvers<BuildStopped>();
    using _one = group!.enter(markOf("one"), bounds(60), told);
    using _watched = disk.watch({ diskBytesMax: 2 ** 20, end: resolve });
    const beganMs = Date.now();
    // The clock of files runs a little behind.
    await until("the layer is younger than the build", () => {
      rmSync(path.dirname(layer), { recursive: true, force: true });
      mkdirSync(layer, { recursive: true });
      return statSync(path.dirname(layer)).birthtimeMs >= beganMs;
    });
    traces.beginStep(step, mark, layer);
    group!.look();
    writeFileSync(path.join(layer, "file"), Buffer.alloc(2 ** 21));
    expect((await promise).message).toContain("wrote more than 1 MiB to disk");
  }
});

test.skipIf(!cgroups)("what another Worker's steps write is not for this one to hold", async () => {
  await using traces = await openTraces();
  await traces.start();
  const { group } = ownEngine(traces.socket)();
  const layer = path.join(traces.dataRoot, "overlay2/theirs/diff");
  using _one = group!.enter(markOf("one"), bounds(60), { began: () => {}, over: () => {} });
  traces.beginStep("theirs", markOf("theirs"), layer);
  group!.look();
  expect([...group!.chargedFolders()]).toEqual([layer]);
});
