import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** A folder with a repository, as a person has it on their machine. */
export async function aRepository(files: Record<string, string> = { "index.js": "1\n" }) {
  const dir = await mkdtemp(path.join(tmpdir(), "repository-"));
  /** Runs git there, until the signal fires; answers what it said, both ways, whether it ended well or not. */
  const gitUntil = async (
    signal: AbortSignal | undefined,
    ...args: string[]
  ): Promise<{ code: number | null; text: string }> => {
    const env = {
      PATH: process.env["PATH"], HOME: dir, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0",
      GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: "ada@example.com", GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: "ada@example.com",
    }; // prettier-ignore
    const child = spawn("git", args, { cwd: dir, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    // Its group: git leaves the talking to a process of its own, which would stay.
    signal?.addEventListener("abort", () => process.kill(-child.pid!, "SIGKILL"), { once: true });
    let text = "";
    for (const out of [child.stdout, child.stderr])
      out.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, text };
  };
  const git = (...args: string[]) => gitUntil(undefined, ...args);
  const commit = async (changed: Record<string, string>, message = "change"): Promise<string> => {
    for (const [name, text] of Object.entries(changed)) {
      await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
      await writeFile(path.join(dir, name), text);
    }
    await git("add", "--all");
    await git("commit", "--quiet", "--allow-empty", "--message", message);
    return (await git("rev-parse", "HEAD")).text.trim();
  };
  await git("init", "--quiet", "--initial-branch=main");
  const first = await commit(files, "first");
  return {
    dir,
    git,
    gitUntil,
    commit,
    first,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
