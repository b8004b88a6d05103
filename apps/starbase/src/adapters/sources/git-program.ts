import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { sayBytes } from "../process-builder/build-limits.ts";
import { boundedGit, frugalSettings } from "./bounded-git.ts";

export type Git = {
  /** Runs git and answers what it printed; rejects with GitFailed, where that is more than `bytesMax` as well. */
  run(args: readonly string[], options?: BoundedOptions): Promise<string>;
  /** As `run`, but of more than `bytesMax` it answers the beginning. */
  beginning(args: readonly string[], options?: BoundedOptions): Promise<{ text: string; isWhole: boolean }>;
  /** Runs git and hands over what it prints as it comes; rejects if git or the taker does. */
  stream(
    args: readonly string[],
    take: (out: AsyncIterable<Uint8Array>) => Promise<void>,
    options?: GitOptions,
  ): Promise<void>;
  /** The environment of every git of ours: no settings of the machine or its users, no prompts. */
  readonly env: Readonly<Record<string, string>>;
};

export type GitOptions = {
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** In place of `timeoutMs`, for several that have one time together: it fires when that is over. */
  readonly late?: AbortSignal;
  /** Beside what every git of ours gets; where a secret may stand, which arguments would show to all. */
  readonly env?: Readonly<Record<string, string>>;
};

export type BoundedOptions = GitOptions & {
  /** What git may print before it is ended; 4 MiB if not said. Servers and repositories of anybody decide how much it is. */
  readonly bytesMax?: number;
};

const printedBytesMax = 4 * 2 ** 20;

/** Ends git, of whose output there is enough. */
class Enough extends Error {}

const commandOf = (args: readonly string[]): string => args.find((arg) => !arg.startsWith("-")) ?? "";

export class GitFailed extends Error {
  override readonly name = "GitFailed";
  readonly stderr: string;
  readonly isTimeout: boolean;

  constructor(what: string, stderr: string, isTimeout = false) {
    super(`git ${what} ${isTimeout ? "took too long" : "failed"}: ${stderr.trim().slice(-1_000)}`);
    this.stderr = stderr;
    this.isTimeout = isTimeout;
  }
}

/** For what need not be there: git's refusal is undefined. */
export const absent = (error: unknown): undefined => {
  if (error instanceof GitFailed) return undefined;
  throw error;
};

const settings = `${frugalSettings}[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
[protocol]
	allow = never
[protocol "https"]
	allow = always
[protocol "http"]
	allow = always
[protocol "file"]
	allow = always
[http]
	followRedirects = false
[transfer]
	fsckObjects = true
[receive "fsck"]
	zeroPaddedFilemode = warn
	badTimezone = warn
	missingSpaceBeforeDate = warn
	missingSpaceBeforeEmail = warn
[fetch "fsck"]
	zeroPaddedFilemode = warn
	badTimezone = warn
	missingSpaceBeforeDate = warn
	missingSpaceBeforeEmail = warn
[gc]
	auto = 0
[init]
	defaultBranch = main
`;

/** Of the settings above; an address that was checked is all that git may go to. */
export const isRedirection = ({ stderr }: GitFailed): boolean => /returned error: 30[12378]/.test(stderr);

/** A file of ours that other processes may be reading: seen whole, old or new. */
export function writeInPlace(file: string, text: string, mode = 0o644): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode });
  chmodSync(draft, mode);
  renameSync(draft, file);
}

/** Git with settings of our own in `dir`, whatever the machine's say, within so much memory (see `boundedGit`). */
export function openGit(
  dir: string,
  networkVariables: Readonly<Record<string, string>> = {},
  memoryBytesMax?: number,
): Git {
  const config = path.join(dir, "gitconfig");
  writeInPlace(config, settings);
  const env = {
    ...networkVariables,
    PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
    HOME: dir,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: config,
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_LFS_SKIP_SMUDGE: "1",
  };

  const stream: Git["stream"] = async (
    args,
    take,
    { cwd = dir, signal, timeoutMs = 120_000, late = AbortSignal.timeout(timeoutMs), env: more = {} } = {},
  ) => {
    const child = spawn(...boundedGit(args, memoryBytesMax), {
      cwd,
      env: { ...env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
      killSignal: "SIGKILL",
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-8_192)));
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    const taking = take(child.stdout).catch((error: unknown) => {
      // Whoever stops listening must not leave git waiting; if git had ended by itself, its reason comes first.
      if (!child.stdout.readableEnded) child.kill("SIGKILL");
      throw error;
    });
    const [taken, code] = await Promise.allSettled([taking, ended]);
    signal?.throwIfAborted();
    const what = commandOf(args);
    if (late.aborted) throw new GitFailed(what, stderr, true);
    if (code.status === "rejected") throw code.reason;
    if (code.value !== null && code.value !== 0) throw new GitFailed(what, stderr);
    if (taken.status === "rejected") throw taken.reason;
    if (code.value === null) throw new GitFailed(what, stderr);
  };

  const beginning: Git["beginning"] = async (args, { bytesMax = printedBytesMax, ...options } = {}) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const take = async (out: AsyncIterable<Uint8Array>) => {
      for await (const chunk of out) {
        chunks.push(chunk.subarray(0, bytesMax - bytes));
        bytes += chunk.length;
        if (bytes > bytesMax) throw new Enough();
      }
    };
    await stream(args, take, options).catch((error: unknown) => {
      if (!(error instanceof Enough)) throw error;
    });
    return { text: Buffer.concat(chunks).toString(), isWhole: bytes <= bytesMax };
  };

  return {
    env,
    stream,
    beginning,
    async run(args, options) {
      const { text, isWhole } = await beginning(args, options);
      if (isWhole) return text;
      const bound = sayBytes(options?.bytesMax ?? printedBytesMax);
      throw new GitFailed(commandOf(args), `it was ended, because it printed more than ${bound}`);
    },
  };
}
