import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const module = new URL("setup/left-processes.ts", import.meta.url).href;

/** A run in a process group of its own, which leaves one process behind and still has another. */
const aRun = `
  import { spawn, execFileSync } from "node:child_process";
  const orphan = Number(execFileSync("sh", ["-c", "sleep 600 >/dev/null 2>&1 & echo $!"], { encoding: "utf8" }));
  const own = spawn("sleep", ["601"], { stdio: "ignore" });
  const { endLeftProcesses } = await import(${JSON.stringify(module)});
  const ended = endLeftProcesses();
  const isOwnThere = own.exitCode === null && process.kill(own.pid, 0);
  own.kill("SIGKILL");
  console.log(JSON.stringify({ orphan, ended, isOwnThere }));`;

test.runIf(process.platform === "linux")(
  "a run ends what lost its parent in its process group, and nothing else",
  async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", aRun], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = await Promise.all([text(child.stdout), once(child, "exit")]);
    const { orphan, ended, isOwnThere } = JSON.parse(said) as {
      orphan: number;
      ended: string[];
      isOwnThere: boolean;
    };
    expect(ended).toEqual([`${orphan} sleep 600`]);
    expect(isOwnThere).toBe(true);
  },
);
