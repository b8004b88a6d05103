import { lchown, mkdir } from "node:fs/promises";
import path from "node:path";
import type { BuildFacts, BuildSpec, StepEnd } from "../../ports/build-service.ts";
import { bothLimits, ranOutOfMemory, type BuildLimits } from "./build-limits.ts";
import { BuildStopped, stop } from "./build-stopped.ts";
import type { BuildNetworks } from "./build-network.ts";
import type { CacheHolds } from "./cache-holds.ts";
import { openCgroup } from "./cgroup.ts";
import { inside } from "./copy-tree.ts";
import type { BuiltImage, ImageStore } from "./image-store.ts";
import type { LogSpool } from "./log-spool.ts";
import type { MachineTools } from "./machine-tools.ts";
import { outputLines } from "./output-lines.ts";
import { findProgram, runProgram, systemPath } from "./program.ts";
import { redactor } from "./redact.ts";
import { runCommand, takeEnvironment } from "./run-command.ts";
import { runPlan } from "./run-plan.ts";
import type { Rooms, Sandbox } from "./sandbox.ts";
import { projectCache } from "./step-cache.ts";
import { digestTree } from "./tree-digest.ts";
import { tooManyProcesses, watchLimits } from "./watch-limits.ts";

/** What all builds of one builder share. */
export type Builder = {
  readonly cacheDir: string;
  readonly machine: MachineTools;
  readonly sandbox: Sandbox;
  readonly networks: BuildNetworks;
  readonly images: ImageStore;
  readonly holds: CacheHolds;
  readonly limits: BuildLimits;
  readonly networkVariables: Readonly<Record<string, string>>;
  readonly keyOf: (input: unknown) => string;
};

const tailLines = 20;

/** Where a project's caches lie: shared by its services, never by projects. */
export const projectDir = ({ cacheDir }: Pick<Builder, "cacheDir">, projectId: string): string =>
  path.join(cacheDir, "projects", projectId);

/** One build from its source to its image. Throws BuildStopped for what the customer must change. */
export async function buildImage(
  builder: Builder,
  {
    spec,
    workDir,
    spool,
    note,
  }: { spec: BuildSpec; workDir: string; spool: LogSpool; note: (facts: BuildFacts) => void },
  cancel: AbortSignal,
): Promise<BuiltImage> {
  const say = (step: string, text: string, ended?: StepEnd) =>
    spool.line(step, "status", redact(text), ended);
  const redact = redactor(
    Object.fromEntries(spec.secretNames.map((name) => [name, spec.variables[name] ?? ""])),
  );
  const { outcome } = spec;
  const limits = bothLimits(builder.limits, spec.limits);
  if (outcome.kind === "dockerfile")
    return stop(
      `this app has a ${outcome.path}, and the process runtime cannot build Dockerfiles because it has no containers: start the platform with --runtime docker, or set "builder": "railpack" in starform.json to build without it`,
    );

  using held = new DisposableStack();
  held.use(builder.holds.hold(projectDir(builder, spec.projectId)));
  say("sandbox", builder.sandbox.words);
  const source = await inside(spec.contextDir, outcome.info.rootDirectory);
  const sourceKey = builder.keyOf([
    1,
    (await digestTree(source)).hex,
    outcome.plan,
    spec.variables,
    [...spec.secretNames].sort(),
    builder.machine.nodeVersion,
    builder.sandbox.kind,
  ]);
  if (!spec.noCache) {
    const earlier = await builder.images.reuse(spec, sourceKey);
    if (earlier) {
      say("build", `cached: same source, settings and variables as build ${earlier.buildId}`, {
        outcome: "cached",
      });
      return earlier.built;
    }
  }

  const aborter = new AbortController();
  const end = (stopped: BuildStopped) => aborter.abort(stopped);
  const onCancel = () => end(new BuildStopped("cancelled", { isCancelled: true }));
  cancel.addEventListener("abort", onCancel, { once: true });
  if (cancel.aborted) onCancel();
  const cgroup = openCgroup(spec.buildId, limits);
  if (!cgroup && process.platform === "linux")
    say("sandbox", "NO LIMITS on memory and processes: this machine lets the platform make no cgroups");
  await using network = await builder.networks.open(spec.buildId);
  if (network.words) say("sandbox", network.words);
  const mountsDir = path.join(projectDir(builder, spec.projectId), "mounts");
  await mkdir(mountsDir, { recursive: true });
  await makeRooms(workDir, builder.sandbox.uid);
  using watch = watchLimits({ limits, cgroup, folders: [workDir, mountsDir] }, end);

  const exec = async (
    step: string,
    command: string,
    rooms: Rooms,
    env: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const tail: string[] = [];
    const readers = (["stdout", "stderr"] as const).map((stream) =>
      outputLines(redact, (text) => {
        tail.push(text);
        if (tail.length > tailLines) tail.shift();
        spool.line(step, stream, text);
      }),
    );
    if (builder.sandbox.uid !== undefined)
      for (const { from, isWritable } of rooms.tools)
        if (isWritable) await lchown(from, builder.sandbox.uid, builder.sandbox.uid);
    const shell = ["/bin/sh", "-c", takeEnvironment, "sh", builder.sandbox.adapt(rooms, command)];
    const oomKillsBefore = cgroup?.events().oomKills ?? 0;
    const ended = await runCommand(
      {
        argv: [...network.enter, ...builder.sandbox.wrap(rooms, shell)],
        cwd: rooms.app,
        env,
        joinFiles: cgroup?.joinFiles ?? [],
        onOutput(stream, chunk) {
          watch.heard();
          if (!spool.isFull()) return readers[stream === "stdout" ? 0 : 1]!.write(chunk);
          // Nobody sees it any more; its end still tells why the build failed.
          spool.leftOut(Math.max(0, chunk.length - 2_048));
          readers[stream === "stdout" ? 0 : 1]!.write(chunk.subarray(-2_048));
        },
      },
      aborter.signal,
    );
    for (const reader of readers) reader.end();
    aborter.signal.throwIfAborted();
    if (ended.code === 0) return;
    if ((cgroup?.events().refusedForks ?? 0) > 0) throw tooManyProcesses(limits);
    const isOutOfMemory = (cgroup?.events().oomKills ?? 0) > oomKillsBefore;
    throw new BuildStopped(
      failure(step, redact(command), ended, isOutOfMemory ? limits.memoryBytesMax : undefined, tail),
    );
  };

  try {
    const staged = await builder.images.stage(spec.buildId);
    const laidOut = await runPlan(
      {
        plan: outcome.plan,
        info: outcome.info,
        source,
        workDir,
        toolsDir: path.join(builder.cacheDir, "tools"),
        holdTool: (from) => void held.use(builder.holds.hold(from)),
        machine: builder.machine,
        sandbox: builder.sandbox,
        cache: projectCache(projectDir(builder, spec.projectId)),
        keyOf: builder.keyOf,
        noCache: spec.noCache,
        signal: aborter.signal,
        variables: spec.variables,
        networkVariables: builder.networkVariables,
        say,
        exec,
        versionOf,
      },
      path.join(staged, "app"),
    );
    aborter.signal.throwIfAborted();
    spool.keeping();
    const built = await builder.images.commit(spec, staged, laidOut, sourceKey, aborter.signal);
    return built;
  } catch (error) {
    // Whatever it was that broke off then, the reason is why it was broken off.
    aborter.signal.throwIfAborted();
    throw error;
  } finally {
    cancel.removeEventListener("abort", onCancel);
    // Zero where no command ran: every step came from the cache.
    const peakMemoryBytes = cgroup?.peakMemoryBytes();
    if (peakMemoryBytes) note({ peakMemoryBytes });
    await cgroup?.remove();
    await builder.images.discard(spec.buildId);
  }
}

async function makeRooms(workDir: string, uid: number | undefined): Promise<void> {
  for (const name of ["home", "tmp", "opt", "tool"]) {
    const room = path.join(workDir, name);
    await mkdir(room, { recursive: true });
    if (uid !== undefined) await lchown(room, uid, uid);
  }
}

/** One sentence, then the end of the output. */
function failure(
  step: string,
  command: string,
  { code, signal }: { code: number | null; signal: NodeJS.Signals | null },
  memoryBytesMax: number | undefined,
  tail: readonly string[],
): string {
  const shown = command.length > 200 ? `${command.slice(0, 200)}…` : command;
  const how =
    memoryBytesMax !== undefined
      ? ranOutOfMemory(memoryBytesMax)
      : signal || (code ?? 0) > 128
        ? `was ended by signal ${signal ?? (code ?? 0) - 128}`
        : code === 127
          ? "was not found (exit code 127)"
          : `ended with exit code ${code}`;
  // oxlint-disable-next-line no-control-regex
  const plain = (line: string) => line.replaceAll(/\x1b\[[0-9;]*[A-Za-z]/g, "");
  const lines = tail
    .map(plain)
    .filter((line) => line.trim() !== "")
    .map((line) => line.slice(0, 500));
  return `the step "${step}" failed: \`${shown}\` ${how}${lines.length > 0 ? `\n${lines.join("\n")}` : ""}`;
}

/** `Python 3.11.2` → `3.11.2`. */
async function versionOf(program: string): Promise<string | undefined> {
  const found = findProgram(program, systemPath);
  if (!found) return undefined;
  const text = await runProgram(found, [program === "go" ? "version" : "--version"]).catch(() => "");
  return /(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];
}
