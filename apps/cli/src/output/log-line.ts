import type { LogEntry } from "@starform/contract/logs";
import type { Context } from "../context.ts";
import { sayClock } from "./say-time.ts";

const colours = { debug: "dim", info: "cyan", warn: "yellow", error: "red" } as const;

/** One log line for a person, with the message as the app wrote it. */
export function logLine(
  { paint }: Pick<Context, "paint">,
  { ts, level, message }: LogEntry,
  { isShort = false }: { isShort?: boolean } = {},
): string {
  return isShort
    ? message
    : `${paint("dim", sayClock(ts))} ${paint(colours[level], level.padEnd(5))} ${message}`;
}
