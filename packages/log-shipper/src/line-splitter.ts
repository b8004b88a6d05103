import { messageBytesMax, type LogLevel } from "./log-line.ts";

export interface LineSplitter {
  /** Gives the bytes of a stream; every line that is complete is handed on before it returns. */
  write(chunk: Uint8Array): void;
  /** Hands on what is left without a newline. */
  end(): void;
}

/**
 * Cuts a byte stream into lines of text. A character split over two chunks is put together again, `\r\n` ends a line
 * like `\n`, a carriage return inside a line keeps what follows it (as a terminal would show a progress bar), and a
 * line without an end is handed on in pieces, so that no stream can fill the memory.
 */
export function lineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";

  const emit = (raw: string): void => {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    onLine(line.includes("\r") ? line.slice(line.lastIndexOf("\r") + 1) : line);
  };
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) emit(line);
    // Twice what is kept of a line: the shipper cuts and marks it, and the remainder is marked in its turn.
    while (rest.length > 2 * messageBytesMax) {
      emit(rest.slice(0, 2 * messageBytesMax));
      rest = rest.slice(2 * messageBytesMax);
    }
  };
  return {
    write: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end() {
      take(decoder.decode());
      if (rest !== "") emit(rest);
      rest = "";
    },
  };
}

const wordLevels: Readonly<Record<string, LogLevel>> = {
  trace: "debug",
  debug: "debug",
  verbose: "debug",
  info: "info",
  information: "info",
  notice: "info",
  log: "info",
  warn: "warn",
  warning: "warn",
  err: "error",
  error: "error",
  fatal: "error",
  critical: "error",
  crit: "error",
  panic: "error",
  alert: "error",
  emerg: "error",
};
const word = new RegExp(
  `(?:^|[^\\w.-])(${Object.keys(wordLevels)
    .filter((name) => name !== "log")
    .join("|")})(?=$|[\\]:)|=\\s"])`,
  "i",
);

/** The level a line states itself: a JSON `level` (words, or pino's numbers), `level=…`, or a level word near its start. */
export function levelOf(line: string, otherwise: LogLevel = "info"): LogLevel {
  const stated = line.startsWith("{") ? jsonLevel(line) : undefined;
  if (stated) return stated;
  const pair = /\b(?:level|lvl|severity)=["']?(\w+)/i.exec(line)?.[1]?.toLowerCase();
  if (pair && wordLevels[pair]) return wordLevels[pair];
  const found = word.exec(line.slice(0, 80))?.[1]?.toLowerCase();
  return (
    (found && wordLevels[found]) ||
    (/^\s*(?:Uncaught\s+)?\w*(?:Error|Exception):/.test(line) ? "error" : otherwise)
  );
}

function jsonLevel(line: string): LogLevel | undefined {
  if (line.length > messageBytesMax) return undefined;
  try {
    const { level, severity } = JSON.parse(line) as { level?: unknown; severity?: unknown };
    const stated = level ?? severity;
    if (typeof stated === "number")
      return stated >= 50 ? "error" : stated >= 40 ? "warn" : stated >= 30 ? "info" : "debug";
    return typeof stated === "string" ? wordLevels[stated.toLowerCase()] : undefined;
  } catch {
    return undefined;
  }
}
