import { existsSync } from "node:fs";
import { join } from "node:path";
import { wordsOf } from "@starform/std/fault";
import { isAlive, signalProcess } from "@starform/std/process";
import { until } from "@starform/std/retry";
import { supervisorOf } from "../data-dir/state.ts";
import { readFlags, stopFlags } from "../options/flags.ts";
import { dataDirOf } from "../options/start-options.ts";
import { step } from "../platform/progress.ts";
import { stopLeftOvers } from "../supervisor/pid-file.ts";

const withinMs = 180_000;

/** `npm stop`: resolves when nothing of the platform of that data directory is left running. */
export async function stopCommand(args: readonly string[], root: string): Promise<number> {
  try {
    const flags = readFlags(args, stopFlags);
    const isJson = flags["json"] === true;
    const dataDir = dataDirOf(flags, root);
    const say = (line: string) => (isJson ? console.error(line) : console.log(line));
    const pid = supervisorOf(dataDir);
    if (pid === undefined) {
      const runDir = join(dataDir, "run");
      const leftOvers = existsSync(runDir) ? await stopLeftOvers(runDir) : [];
      say(
        leftOvers.length > 0
          ? `Stopped what a killed start had left: ${leftOvers.join(", ")}`
          : `Starform is not running in ${dataDir}`,
      );
    } else {
      const stopped = async () => {
        signalProcess(pid, "SIGTERM");
        await until(
          `Starform (process ${pid}) to stop; logs/supervisor.log may say why it does not`,
          () => !isAlive(pid),
          { withinMs },
        );
      };
      await step(say, "Stopping everything", stopped, () => `Stopped; the data stays in ${dataDir}`);
    }
    if (isJson) console.log(JSON.stringify({ stopped: true, wasRunning: pid !== undefined, dataDir }));
    return 0;
  } catch (error) {
    console.error(wordsOf(error));
    return 1;
  }
}
