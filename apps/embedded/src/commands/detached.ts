import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault, wordsOf } from "@starform/std/fault";
import type { PlatformDescription } from "../data-dir/state.ts";
import { databaseUrlOf, type StartOptions } from "../options/start-options.ts";
import type { Say } from "../platform/progress.ts";
import { runPlatform } from "./run-platform.ts";

/** What the detached process tells the command that waits for it. */
type Message =
  | { readonly say: string }
  | { readonly ready: PlatformDescription }
  | { readonly failed: string };

/** What everybody on the machine may read in the list of processes: `DATABASE_URL` has a password, and stays in the environment. */
export type Detached = { readonly options: Omit<StartOptions, "databaseUrl">; readonly root: string };

/** Starts the platform in a process of its own and resolves when it is ready; that process stays. */
export function startDetached(options: StartOptions, root: string, say: Say): Promise<PlatformDescription> {
  const bin = fileURLToPath(new URL("../../bin/detached.ts", import.meta.url));
  const { databaseUrl: _secret, ...shown } = options;
  const detached: Detached = { options: shown, root };
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", bin, JSON.stringify(detached)],
    {
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    },
  );
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => child.kill("SIGTERM"));
  let failed: string | undefined;
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(
        new Fault(
          "unavailable",
          failed ?? `the start ended with code ${code}; logs/supervisor.log may say why`,
        ),
      ),
    );
    child.on("message", (message: Message) => {
      if ("say" in message) return say(message.say);
      if ("failed" in message) return void (failed = message.failed);
      child.disconnect();
      child.unref();
      resolve(message.ready);
    });
  });
}

/** The detached process: tells its parent while there is one, and its log always. */
export async function runDetached({ options: shown, root }: Detached): Promise<number> {
  const options = { ...shown, databaseUrl: databaseUrlOf(process.env["DATABASE_URL"]) };
  const log = join(options.dataDir, "logs/supervisor.log");
  const tell = (message: Message) => void (process.connected && process.send?.(message, () => undefined));
  const say: Say = (line) => {
    tell({ say: line });
    write(log, line);
  };
  process.on("uncaughtException", (error) => write(log, `uncaught: ${error.stack ?? error.message}`));
  process.on("unhandledRejection", (error) => write(log, `unhandled: ${wordsOf(error)}`));
  // The command that waits was killed before everything was ready: nobody would know of the platform.
  let isReady = false;
  process.once("disconnect", () => void (isReady || process.kill(process.pid, "SIGTERM")));
  try {
    await runPlatform(options, {
      root,
      say,
      isAttached: false,
      onReady: (ready) => {
        isReady = true;
        tell({ ready });
      },
    });
    return 0;
  } catch (error) {
    write(log, wordsOf(error));
    tell({ failed: wordsOf(error) });
    return 1;
  } finally {
    if (process.connected) process.disconnect();
  }
}

function write(log: string, line: string): void {
  try {
    appendFileSync(log, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
  } catch {
    // The folder is not made yet, or the disk is full: the platform goes on.
  }
}
