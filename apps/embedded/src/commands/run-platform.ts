import { once } from "node:events";
import { Fault } from "@starform/std/fault";
import type { PlatformDescription } from "../data-dir/state.ts";
import type { StartOptions } from "../options/start-options.ts";
import { openPlatform } from "../platform/platform.ts";
import { step, type Say } from "../platform/progress.ts";

/**
 * Keeps the platform running in this process until a signal comes, or until the process that started it is gone
 * (`isAttached`). Rejects with what stopped the start; then nothing is left running.
 */
export async function runPlatform(
  options: StartOptions,
  at: { root: string; say: Say; isAttached: boolean; onReady(platform: PlatformDescription): void },
): Promise<void> {
  const { root, say, isAttached, onReady } = at;
  const stop = new AbortController();
  // A terminal's Ctrl-C comes twice, from the terminal and from npm: the second changes nothing.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  const parent = process.ppid;
  // The terminal, npm and the shell may be killed without a word to us.
  const watch = setInterval(() => isAttached && process.ppid !== parent && stop.abort(), 500);
  try {
    const platform = await openPlatform(options, { root, say, signal: stop.signal });
    try {
      if (stop.signal.aborted) throw new Fault("unavailable", "the start was interrupted");
      onReady(platform.description);
      if (!stop.signal.aborted) await once(stop.signal, "abort");
    } finally {
      const dispose = async () => platform[Symbol.asyncDispose]();
      await step(say, "Stopping everything", dispose, () => "Everything stopped; the data stays");
    }
  } finally {
    clearInterval(watch);
  }
}
