import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Ran = {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};
/** The last line of every deploying command with `--json`. */
export type Outcome = {
  readonly deploymentId: string;
  readonly status: string;
  readonly url: string | null;
  readonly imageDigest: string | null;
  readonly durationMs: number | null;
};
type RunOptions = { readonly cwd?: string; readonly input?: string };

/** A person at a terminal of their own: `starform`, `git` and `docker` as they type them, signed in by STARFORM_TOKEN only. */
export type Terminal = Disposable & {
  /** Their home, with nothing of this machine's own configuration in it. */
  readonly home: string;
  /** Makes a folder with these files; its name is what `starform up --yes` names the app after. */
  folder(name: string, files?: Readonly<Record<string, string>>): string;
  /** A copy of a folder of the repository, to be worked in. */
  copy(source: string, name: string): string;
  starform(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** The lines of a command that stays, as they come; ends with the signal or the loop that reads, and the command with it. */
  follow(args: readonly string[], signal: AbortSignal): AsyncGenerator<string>;
  git(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** With the platform's engine; rejects with everything it said if it failed. */
  docker(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** What a command with `--json` says; rejects with everything it said if it failed. */
  json<T>(args: readonly string[], options?: RunOptions): Promise<T>;
  /** Runs a deploying command and answers its last line; rejects unless the deployment is live. */
  deploy(args: readonly string[], options?: RunOptions): Promise<Outcome & { readonly url: string }>;
  /** Commits all that a folder holds; makes it a repository if it is none. */
  commit(folder: string, message: string): Promise<void>;
};

const root = fileURLToPath(new URL("../../..", import.meta.url));

type Reached = { readonly apiUrl: string; readonly ownerToken: string; readonly dockerHost?: string };

export function openTerminal({ apiUrl, ownerToken, dockerHost }: Reached): Terminal {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "starform-person-")));
  const env = {
    PATH: process.env["PATH"],
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    HOME: home,
    TMPDIR: tmpdir(),
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    ...Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((who) => [
        [`GIT_${who}_NAME`, "Ada"],
        [`GIT_${who}_EMAIL`, "ada@example.com"],
      ]),
    ),
    STARFORM_URL: apiUrl,
    STARFORM_TOKEN: ownerToken,
  };
  const starform = (args: readonly string[], options: RunOptions = {}) =>
    run(join(root, "starform"), args, { cwd: home, env, ...options });
  const git = (args: readonly string[], options: RunOptions = {}) =>
    run("git", args, { cwd: home, env, ...options });
  const ok = (ran: Ran, args: readonly string[]): Ran => {
    if (ran.code === 0) return ran;
    throw new Error(`${args.join(" ")} ended with ${ran.code}:\n${ran.stdout.slice(-4_000)}${ran.stderr}`);
  };
  return {
    home,
    folder(name, files = {}) {
      const folder = join(home, name);
      mkdirSync(folder, { recursive: true });
      writeFiles(folder, files);
      return folder;
    },
    copy(source, name) {
      const folder = join(home, name);
      cpSync(source, folder, { recursive: true });
      return folder;
    },
    starform,
    follow: (args, signal) => linesOf(join(root, "starform"), args, { cwd: home, env, signal }),
    git,
    docker: async (args, options = {}) =>
      ok(
        await run("docker", args, {
          cwd: home,
          env: { ...env, ...(dockerHost ? { DOCKER_HOST: dockerHost } : {}) },
          ...options,
        }),
        ["docker", ...args],
      ),
    async json<T>(args: readonly string[], options: RunOptions = {}) {
      const said = [...args, "--json"];
      return JSON.parse(ok(await starform(said, options), said).stdout) as T;
    },
    async deploy(args, options = {}) {
      const said = [...args, "--json"];
      const outcome = outcomeOf(ok(await starform(said, options), said));
      return { ...outcome, url: outcome.url ?? "" };
    },
    async commit(folder, message) {
      const steps = [
        ["init", "--quiet", "-b", "main"],
        ["add", "--all"],
        ["commit", "-qm", message],
      ];
      for (const step of steps) ok(await git(step, { cwd: folder }), ["git", ...step]);
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** The last line that was said with `--json`. */
export const outcomeOf = ({ stdout }: Ran): Outcome =>
  JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Outcome;

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Runs a program to its end and answers what it said; never rejects for what the program did. */
function run(
  program: string,
  args: readonly string[],
  { input, cwd, env }: { cwd: string; env: NodeJS.ProcessEnv } & RunOptions,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => (said[name] += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, ...said }));
    child.stdin.on("error", () => undefined).end(input);
  });
}

/** What a program writes on stdout, line by line; Ctrl-C ends it when nobody reads on. Rejects if it fails by itself. */
async function* linesOf(
  program: string,
  args: readonly string[],
  { signal, ...options }: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): AsyncGenerator<string> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close") as Promise<[number | null]>;
  let [rest, complaint] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const interrupt = () => child.kill("SIGINT");
  signal.addEventListener("abort", interrupt);
  try {
    for await (const chunk of child.stdout.setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    const [code] = await ended;
    if (code && !signal.aborted) throw new Error(`${args.join(" ")} ended with ${code}:\n${complaint}`);
  } finally {
    signal.removeEventListener("abort", interrupt);
    interrupt();
    await ended;
  }
}
