import { wordsOf } from "@starform/std/fault";
import type { Env } from "@starform/std/parse-env";
import type { PlatformDescription } from "../data-dir/state.ts";
import { readFlags, sayFlags, startFlags } from "../options/flags.ts";
import { npmBannerHint } from "../options/npm-banner.ts";
import { startOptions } from "../options/start-options.ts";
import { sayPlatform } from "../platform/table.ts";
import { startDetached } from "./detached.ts";
import { runPlatform } from "./run-platform.ts";

/** `npm start`: resolves with the exit code when the platform is stopped, or, with `--detach`, when it is ready. */
export async function startCommand(args: readonly string[], env: Env, root: string): Promise<number> {
  if (args.includes("--help")) {
    console.log(`npm start -- [flags]\n${sayFlags(startFlags)}`);
    return 0;
  }
  try {
    const flags = readFlags(args, startFlags);
    const [isDetached, isJson] = [flags["detach"] === true, flags["json"] === true];
    const options = startOptions(flags, env, root);
    const hint = isJson ? npmBannerHint(env) : undefined;
    if (hint) console.error(hint);
    const say = isJson ? (line: string) => console.error(line) : (line: string) => console.log(line);
    const print = (platform: PlatformDescription) =>
      console.log(isJson ? JSON.stringify(platform) : sayPlatform(platform, { isDetached }));
    if (isDetached) print(await startDetached(options, root, say));
    else await runPlatform(options, { root, say, isAttached: true, onReady: print });
    return 0;
  } catch (error) {
    console.error(wordsOf(error));
    return 1;
  }
}
