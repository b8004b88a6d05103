import type { LogEntry } from "@starform/contract/logs";
import type { Context } from "../context.ts";
import { safeLine } from "./paint.ts";
import { sayClock } from "./say-time.ts";

const colours = { debug: "dim", info: "cyan", warn: "yellow", error: "red" } as const;

/** One log line for a person. To a pipe the message goes as the app wrote it, to a terminal made safe. */
export function logLine(
  { paint, mayColour, host }: Pick<Context, "paint" | "mayColour" | "host">,
  { ts, level, message }: LogEntry,
  { isShort = false }: { isShort?: boolean } = {},
): string {
  const words = host.stdout.isTerminal ? safeLine(message, mayColour) : message;
  return isShort ? words : `${paint("dim", sayClock(ts))} ${paint(colours[level], level.padEnd(5))} ${words}`;
}
