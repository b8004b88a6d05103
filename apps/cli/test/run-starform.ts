import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sourceLimits, type SourceLimits } from "@starform/contract/source-limits";
import { interruption } from "../src/exit-error.ts";
import type { Host, Sink } from "../src/host.ts";
import { runCli } from "../src/main.ts";

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type RunOptions = {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  readonly input?: string;
  readonly cloneDir?: string;
  readonly sourceLimits?: SourceLimits;
  /** Both outputs are a terminal's. */
  readonly isTerminal?: boolean;
  /** Answers to the questions of a person at a terminal; without them there is no terminal. */
  readonly answers?: string[];
  readonly interrupt?: AbortController;
  readonly onOutput?: (stdout: string) => void;
};

/** Runs the CLI in this process over a host of the test's: its own folder, home, environment and streams. */
export async function starform(words: readonly string[], options: RunOptions): Promise<Ran> {
  const written = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr"): Sink => ({
    isTerminal: options.isTerminal ?? false,
    columns: undefined,
    write(text) {
      written[name] += text;
      if (name === "stdout") options.onOutput?.(written.stdout);
    },
  });
  const answers = [...(options.answers ?? [])];
  const interrupt = options.interrupt ?? new AbortController();
  const host: Host = {
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    isInputTerminal: options.answers !== undefined,
    readInput: async () => options.input ?? "",
    ask: async (question) => {
      written.stderr += `${question}\n`;
      return answers.shift() ?? "";
    },
    env: options.env ?? {},
    homeDir: join(options.cwd, "..", "home"),
    cwd: options.cwd,
    machineName: "laptop",
    sourceLimits: options.sourceLimits ?? sourceLimits,
    cloneDir: options.cloneDir,
    self: ["/opt/node", "/opt/starform.mjs"],
    interrupted: interrupt.signal,
    now: () => new Date("2026-11-29T12:00:00Z"),
    run: (program, args, at) => runProgram(program, args, at?.cwd ?? options.cwd),
    openUrl: async () => true,
  };
  const code = await runCli(host, words);
  return { code, ...written };
}

export const interruptWith = (controller: AbortController): void => controller.abort(interruption());

/** A folder of its own with the given files, and a home beside it; gone after the test. */
export async function aFolder(
  name: string,
  files: Record<string, string | Buffer> = {},
): Promise<Disposable & { path: string }> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "starform-cli-")));
  const path = join(root, name);
  await mkdir(path);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return { path, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

function runProgram(program: string, args: readonly string[], cwd: string) {
  return new Promise<Ran>((resolve) => {
    const env = {
      ...process.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      GIT_CEILING_DIRECTORIES: dirname(cwd),
    };
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("error", (error) => resolve({ code: 127, stdout: "", stderr: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}
