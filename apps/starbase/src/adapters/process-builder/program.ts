import { spawn } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import path from "node:path";

/** Runs one of the machine's own programs (cp, chown, du …) and answers its output; rejects with its last words. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd?: string; signal?: AbortSignal } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...options,
      env: { PATH: systemPath, LC_ALL: "C.UTF-8" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out = (out + chunk.toString()).slice(-1_048_576)));
    child.stderr.on("data", (chunk: Buffer) => (err = (err + chunk.toString()).slice(-2_048)));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${program} ended with ${code}: ${err.trim()}`));
    });
  });
}

/** Bytes that folders take on disk, together. `du` ends with 1 when files vanish under it, which is normal; its total stands. */
export async function diskUsage(folders: readonly string[]): Promise<number> {
  const out = await runProgram("/bin/sh", ["-c", 'du -sck -- "$@" 2>/dev/null || true', "sh", ...folders]);
  return Number(/^(\d+)\s+total$/m.exec(out)?.[1] ?? 0) * 1_024;
}

export const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The program's real path in a PATH; undefined where it is not installed. */
export function findProgram(name: string, searchPath: string = systemPath): string | undefined {
  for (const dir of searchPath.split(":")) {
    if (dir === "") continue;
    try {
      const file = path.join(dir, name);
      accessSync(file, constants.X_OK);
      return realpathSync(file);
    } catch {
      // Not here.
    }
  }
  return undefined;
}
