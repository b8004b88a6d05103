import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";

export type Prepare = {
  readonly program: string;
  readonly searchPath: string;
  readonly timeoutMs?: number;
  readonly root: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly planFile: string;
  readonly infoFile: string;
  readonly signal?: AbortSignal | undefined;
};

const timeoutMsDefault = 120_000;
const wordsMax = 4_096;
/** What it answers when another try may go better. */
const temporary = 75;

/**
 * Runs `railpack prepare`. Of variables it is told the names, and only of its own (`RAILPACK_*`) the values: a plan
 * holds no others, and a command line is read by everybody on the machine. Rejects when the program is not there, takes
 * too long, fails for another reason than the app, or the signal fires.
 */
export async function railpackPrepare(asked: Prepare): Promise<"planned" | "cannot plan"> {
  const { program, root, variables, planFile, infoFile, searchPath, timeoutMs = timeoutMsDefault } = asked;
  const { signal } = asked;
  signal?.throwIfAborted();
  const told = Object.entries(variables).flatMap(([name, value]) => [
    "--env",
    `${name}=${name.startsWith("RAILPACK_") ? value : "hidden"}`,
  ]);
  const child = spawn(program, ["prepare", root, ...told, "--plan-out", planFile, "--info-out", infoFile], {
    cwd: root,
    // It keeps tools in its home; of the platform's own environment it sees nothing else.
    env: { PATH: searchPath, HOME: path.dirname(planFile), LANG: "C.UTF-8", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let words = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-wordsMax)));
  let isLate = false;
  // With all that it started.
  const end = (): void => void (child.pid && process.kill(-child.pid, "SIGKILL"));
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, timeoutMs);
  signal?.addEventListener("abort", end);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    signal?.throwIfAborted();
    if (code === 0) return "planned";
    // It says why in its file; one that did not come so far is no judgement of the app.
    if (code === 1 && !isLate && existsSync(infoFile)) return "cannot plan";
    const why = isLate
      ? `took longer than ${timeoutMs / 1_000} s`
      : code === temporary
        ? "says to try again"
        : `ended with ${code}`;
    throw new Error(`${program} ${why}: ${words.trim().split("\n").at(-1) ?? ""}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(
      `the planner ${program} is not on this machine: install Railpack, or unset STARBASE_PLANNER`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}
