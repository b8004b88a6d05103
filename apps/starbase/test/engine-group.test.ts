import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { markName, markOf } from "../src/adapters/buildkit/build-mark.ts";
import { ownEngine } from "../src/adapters/buildkit/engine-group.ts";
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
    beginStep(step: string, mark: string) {
      const bundle = path.join(dataRoot, "buildkit/executor", step);
      mkdirSync(bundle, { recursive: true });
      const source = path.join(bundle, `../hosts.${step}`);
      writeFileSync(source, `127.0.0.1\tlocalhost\n${mark}\t${markName}\n`);
      const mounts = [{ destination: "/etc/hosts", source, options: ["rbind", "ro"] }];
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
