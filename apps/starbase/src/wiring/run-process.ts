import { isFault, wordsOf } from "@starform/std/fault";
import type { Env } from "@starform/std/parse-env";
import { untilSignal } from "@starform/std/process";
import type { Logger } from "pino";
import { readConfig, type Config } from "../config.ts";
import { openLogger } from "./log.ts";

/** What sysexits(3) calls EX_TEMPFAIL. */
const tryAgainLater = 75;

/** Runs one of Starbase's processes until it is asked to end; resolves with the exit code. */
export const runProcess = (
  name: string,
  open: (config: Config, logger: Logger) => Promise<AsyncDisposable>,
  env: Env,
): Promise<number> =>
  sayingWhy(`${name} ended`, async () => {
    const config = readConfig(env);
    await using _opened = await open(config, openLogger(name, config.logLevel));
    await untilSignal("SIGINT", "SIGTERM");
  });

/**
 * Resolves with 0 when the work is done. Whatever stops it is said on stderr in its own words alone, and is 75 if it may
 * heal by itself (a database that cannot be reached), 1 if somebody has to change something.
 */
export async function sayingWhy(what: string, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    console.error(isFault(error) ? error.message : `${what}: ${wordsOf(error)}`);
    return isFault(error, "unavailable") ? tryAgainLater : 1;
  }
}
