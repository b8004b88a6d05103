import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

export type CommandEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Command = {
  /** The whole command line, sandbox included. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Handed over on a pipe that only the command can read: neither a command line nor the sandbox's own programs see it. */
  readonly env: Readonly<Record<string, string>>;
  /** Files to join before anything else runs. */
  readonly joinFiles: readonly string[];
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => void;
};

/** Joins the cgroups, then becomes the sandbox. */
const join = 'while [ "$1" != "--" ]; do echo 0 > "$1" || exit 97; shift; done; shift; exec "$@"';
/** Inside the sandbox: takes the environment from the pipe, then becomes the command. No core files. */
export const takeEnvironment = 'ulimit -c 0; eval "$(cat <&3)"; exec 3<&-; exec /bin/sh -c "$1"';

/** Runs it to its end. When the signal fires everything it started is killed, and the end is waited for. */
export function runCommand(command: Command, signal: AbortSignal): Promise<CommandEnd> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", join, "sh", ...command.joinFiles, "--", ...command.argv], {
      cwd: command.cwd,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended already.
      }
    };
    signal.addEventListener("abort", kill, { once: true });
    child.stdout!.on("data", (chunk: Buffer) => command.onOutput("stdout", chunk));
    child.stderr!.on("data", (chunk: Buffer) => command.onOutput("stderr", chunk));
    const pipe = child.stdio[3] as Writable;
    // A command that dies before it has read its environment says why by its exit code.
    pipe.on("error", () => undefined);
    pipe.end(exports(command.env));
    child.on("error", reject);
    // What the command left in the background holds the pipes: its end is the end.
    child.on("exit", kill);
    child.on("close", (code, ended) => {
      signal.removeEventListener("abort", kill);
      resolve({ code, signal: ended });
    });
  });
}

const exports = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
