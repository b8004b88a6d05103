import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { Fault } from "@starform/std/fault";
import { holderOf, takeLock } from "@starform/std/lock";
import { until } from "@starform/std/retry";
import { step, type Say } from "../platform/progress.ts";
import { baseEnvironment } from "../supervisor/spawn-program.ts";
import type { Program } from "../supervisor/program.ts";
import { isHttpReady } from "./http-ready.ts";
import { pruneBuilds, wholeMark } from "./prune-builds.ts";

type StardeckOptions = { root: string; port: number; apiUrl: string; isWatching: boolean; say: Say };

/** The dashboard: built once per state of its sources, then served; `--watch` serves it unbuilt. */
export function stardeckProgram({
  root,
  port,
  apiUrl,
  isWatching,
  say,
}: StardeckOptions): Program | undefined {
  const dir = join(root, "apps/stardeck");
  const next = join(root, "node_modules/next/dist/bin/next");
  if (!existsSync(join(dir, "app")) || !existsSync(next)) return undefined;
  const distDir = `.next/${isWatching ? "dev" : digestOf(root, dir)}`;
  const env = { NEXT_TELEMETRY_DISABLED: "1", STARDECK_DIST_DIR: distDir };
  return {
    name: "stardeck",
    after: [],
    prepare: async (stopping) => {
      if (!isWatching) await buildOnce({ dir, next, distDir, env, say, stopping });
    },
    command: {
      file: process.execPath,
      args: [next, isWatching ? "dev" : "start", "--hostname", "127.0.0.1", "--port", String(port)],
      cwd: dir,
      env: {
        ...env,
        NODE_ENV: isWatching ? "development" : "production",
        STARDECK_API_URL: apiUrl,
        PORT: String(port),
        HOSTNAME: "127.0.0.1",
      },
    },
    isReady: () => isHttpReady(port, "/sign-in"),
    stopSignal: "SIGTERM",
    stopWithinMs: 10_000,
    // Without it everything can still be done by the command line.
    isOptional: true,
  };
}

type Build = {
  dir: string;
  next: string;
  distDir: string;
  env: Record<string, string>;
  say: Say;
  stopping: AbortSignal;
};

/** Several platforms of one clone may start at once: one builds, the others wait for it. */
async function buildOnce(options: Build): Promise<void> {
  const { dir, distDir, say, stopping } = options;
  const done = join(dir, distDir, wholeMark);
  if (existsSync(done)) return touch(done);
  mkdirSync(join(dir, ".next"), { recursive: true });
  const path = join(dir, ".next", "build.lock");
  const lock = takeLock(path);
  if (lock.kind === "taken") {
    await until(
      "another start to build the dashboard",
      () => existsSync(done) || stopping.aborted || !holderOf(path),
      {
        withinMs: 300_000,
        everyMs: 200,
      },
    );
    return stopping.aborted ? undefined : buildOnce(options);
  }
  try {
    await step(
      say,
      "Building the dashboard (once)",
      () => build(options),
      () => "Dashboard built",
    );
    writeFileSync(done, "");
    pruneBuilds(join(dir, ".next"), basename(distDir));
  } finally {
    lock.release();
  }
}

/** A clone may belong to another user than the one who starts it. */
function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // It is then older than it should be, and goes earlier.
  }
}

async function build({ dir, next, env, stopping }: Build): Promise<void> {
  const child = spawn(process.execPath, [next, "build"], {
    cwd: dir,
    env: { ...baseEnvironment(), ...env, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "pipe"],
    signal: stopping,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0)
    throw new Fault(
      "unavailable",
      `the dashboard does not build (next build ended with ${code}):\n${said.trim()}`,
    );
}

/** Changes with every source the dashboard is made of. */
function digestOf(root: string, dir: string): string {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  const folders = [
    dir,
    join(root, "packages/client/src"),
    join(root, "packages/contract/src"),
    join(root, "packages/std/src"),
  ];
  for (const folder of folders)
    for (const path of sourcesIn(folder)) hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
  return hash.digest("hex").slice(0, 16);
}

function sourcesIn(dir: string): string[] {
  const skipped = new Set([".next", "node_modules", "test", "e2e", "next-env.d.ts"]);
  return readdirSync(dir, { withFileTypes: true })
    .filter(({ name }) => !skipped.has(name) && !/\.test\.tsx?$/.test(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? sourcesIn(join(dir, entry.name)) : entry.isFile() ? [join(dir, entry.name)] : [],
    );
}
