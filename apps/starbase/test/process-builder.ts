import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "@starform/std/retry";
import { openCgroup } from "../src/adapters/process-builder/cgroup.ts";
import { gatherMachineTools } from "../src/adapters/process-builder/machine-tools.ts";
import { openSandbox } from "../src/adapters/process-builder/sandbox.ts";
import { machineLimits, type BuildLimits } from "../src/adapters/process-builder/build-limits.ts";
import {
  processBuildService,
  type ProcessBuildOptions,
} from "../src/adapters/process-builder/process-build-service.ts";
import type { BuilderUnderTest } from "./a-build.ts";

const run = promisify(execFile);
/** It says nothing once it has an image, and writes it down then. */
const lastWords = "the image is written down";

export type ProcessBuilderUnderTest = BuilderUnderTest & {
  readonly imagesDir: string;
  readonly cacheDir: string;
};

/** The process builder in folders of its own. */
export async function openProcessBuilder(
  limits: Partial<BuildLimits> = {},
  isSandboxed = true,
  networkVariables: Readonly<Record<string, string>> = {},
  deniedHosts: readonly string[] = [],
  more: Partial<Pick<ProcessBuildOptions, "cacheBytesMax" | "log">> = {},
): Promise<ProcessBuilderUnderTest> {
  const dir = await mkdtemp(path.join(tmpdir(), "builder-"));
  const [imagesDir, cacheDir, workDir] = ["images", "cache", "work"].map((name) => path.join(dir, name)) as [
    string,
    string,
    string,
  ];
  const options = {
    imagesDir,
    cacheDir,
    workDir,
    limits,
    isSandboxed,
    networkVariables,
    deniedHosts,
    nodePath: process.execPath,
    searchPath: process.env["PATH"] ?? "",
  };
  const builds = processBuildService({ ...options, log: (text) => console.error(text), ...more });
  const folderOf = (image: string) =>
    path.join(imagesDir, "sha256", image.slice(image.indexOf("@sha256:") + 8));
  const { cgroups } = await machineAllows();
  const another = processBuildService({ ...options, log: (text) => console.error(text) });
  return {
    builds,
    another,
    dir,
    lastWords,
    measures: cgroups ? ["peakMemoryBytes"] : [],
    holdsLimits: cgroups,
    imagesDir,
    cacheDir,
    async imagesOf({ projectId, serviceId }) {
      const hexes = await readdir(path.join(imagesDir, "sha256")).catch((): string[] => []);
      const claimed = await Promise.all(
        hexes.map((hex) => readdir(path.join(imagesDir, "claims", hex)).catch((): string[] => [])),
      );
      const own = hexes.filter((_, i) => claimed[i]!.includes(`${projectId}.${serviceId}`));
      return own.map((hex) => `starform.local/${projectId}/${serviceId}@sha256:${hex}`);
    },
    imageHolds: (image, text) =>
      run("grep", [
        "-rqF",
        "--",
        text,
        folderOf(image),
        path.join(cacheDir, "projects"),
        path.join(imagesDir, "builds"),
      ]).then(
        () => true,
        () => false,
      ),
    fileOf: (image, file) => readFile(path.join(folderOf(image), "app", file), "utf8"),
    async killedAt(spec, text) {
      const file = path.join(dir, `${spec.buildId}.json`);
      await writeFile(file, JSON.stringify({ options, spec }));
      const script = fileURLToPath(new URL("fixtures/build-and-wait.ts", import.meta.url));
      const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
      const lines = createInterface(child.stdout);
      if (text === lastWords) {
        const record = path.join(imagesDir, "builds", `${spec.buildId}.json`);
        await until("the image is written down", () => existsSync(record), { everyMs: 1 });
        child.kill("SIGKILL");
      }
      for await (const line of lines) if (line === text) child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
    isRunning: async (text) => (await commandLines()).some((line) => line.includes(text)),
    async [Symbol.asyncDispose]() {
      await builds[Symbol.asyncDispose]();
      await another[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function commandLines(): Promise<string[]> {
  const pids = (await readdir("/proc").catch((): string[] => [])).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/cmdline`, "utf8").then(
        (text) => text.replaceAll("\0", " "),
        () => "",
      ),
    ),
  );
}

/** What this machine's kernel allows: programs can be installed for a test, these cannot. */
export async function machineAllows(): Promise<{ sandbox: boolean; cgroups: boolean }> {
  const dir = await mkdtemp(path.join(tmpdir(), "probe-"));
  try {
    const tools = gatherMachineTools(dir, process.execPath, "");
    const cgroup = openCgroup(path.basename(dir), machineLimits());
    await cgroup?.remove();
    return { sandbox: openSandbox(dir, tools).kind === "bubblewrap", cgroups: cgroup !== undefined };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
