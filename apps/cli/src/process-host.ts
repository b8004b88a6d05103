import { spawn } from "node:child_process";
import { homedir, hostname } from "node:os";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { sourceLimits } from "@starform/contract/source-limits";
import type { Host, ProgramResult, Sink } from "./host.ts";
import { interruption } from "./exit-error.ts";

type Process = NodeJS.Process;

/** The machine as this process sees it. The first Ctrl-C asks commands to stop, the second ends the process. */
export function processHost(of: Process, cloneDir: string | undefined): Host {
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    of.on(signal, () => {
      if (interrupt.signal.aborted) of.exit(130);
      interrupt.abort(interruption());
    });
  // A reader that has seen enough (`| head`) is no failure.
  of.stdout.on("error", (error: NodeJS.ErrnoException) => of.exit(error.code === "EPIPE" ? 0 : 1));
  return {
    stdout: sinkOf(of.stdout),
    stderr: sinkOf(of.stderr),
    isInputTerminal: Boolean(of.stdin.isTTY),
    readInput: () => text(of.stdin),
    ask: (question, { isSecret = false } = {}) => ask(of, interrupt, question, isSecret),
    env: of.env,
    homeDir: of.env["HOME"] ?? homedir(),
    cwd: of.cwd(),
    machineName: hostname(),
    sourceLimits,
    cloneDir,
    self: [of.execPath, of.argv[1] ?? "starform"],
    interrupted: interrupt.signal,
    now: () => new Date(),
    run: runProgram,
    openUrl: (url) => openUrl(of.platform, url),
  };
}

const sinkOf = (stream: NodeJS.WriteStream): Sink => ({
  isTerminal: Boolean(stream.isTTY),
  get columns() {
    return stream.isTTY ? stream.columns : undefined;
  },
  write: (words) => void stream.write(words),
});

function ask(of: Process, interrupt: AbortController, question: string, isSecret: boolean): Promise<string> {
  const output = isSecret ? undefined : of.stderr;
  if (isSecret) of.stderr.write(question);
  const reader = createInterface({
    input: of.stdin,
    ...(output ? { output } : {}),
    terminal: true,
  });
  return new Promise((resolve, reject) => {
    reader.question(isSecret ? "" : question, (answer) => {
      if (isSecret) of.stderr.write("\n");
      reader.close();
      resolve(answer.trim());
    });
    reader.once("SIGINT", () => {
      reader.close();
      of.stderr.write("\n");
      interrupt.abort(interruption());
      reject(interrupt.signal.reason as Error);
    });
  });
}

function runProgram(program: string, args: readonly string[], options: { cwd?: string } = {}) {
  return new Promise<ProgramResult>((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("error", (error) => resolve({ code: 127, stdout: "", stderr: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** Opens the browser and does not wait for it. On Linux only where there is a screen. */
function openUrl(platform: NodeJS.Platform, url: string): Promise<boolean> {
  const program = platform === "darwin" ? "open" : "xdg-open";
  return new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
