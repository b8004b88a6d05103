import { wordsOf } from "@starform/std/fault";
import { readState, supervisorOf, type PlatformState } from "../data-dir/state.ts";
import { readFlags, stopFlags } from "../options/flags.ts";
import { dataDirOf } from "../options/start-options.ts";
import { titleOf } from "../platform/say-events.ts";

/** `npm run status`: what runs, where, and how it is. */
export function statusCommand(args: readonly string[], root: string): number {
  try {
    const flags = readFlags(args, stopFlags);
    const dataDir = dataDirOf(flags, root);
    const pid = supervisorOf(dataDir);
    const state = pid === undefined ? undefined : readState(dataDir);
    if (flags["json"] === true)
      console.log(
        JSON.stringify({
          running: state !== undefined,
          ...(pid === undefined ? {} : { pid }),
          dataDir,
          ...state,
        }),
      );
    else if (state) console.log(sayState(state));
    else
      console.log(
        pid === undefined
          ? `Starform is not running in ${dataDir}; npm start starts it`
          : `Starform is starting in ${dataDir} (process ${pid})`,
      );
    return 0;
  } catch (error) {
    console.error(wordsOf(error));
    return 1;
  }
}

function sayState(state: PlatformState): string {
  const head = [
    `Dashboard ${state.dashboardUrl}   API ${state.apiUrl}   apps at *.${state.appsDomain}`,
    `Data in ${state.dataDir}${state.dockerHost ? `   DOCKER_HOST=${state.dockerHost}` : ""}`,
    "",
  ];
  const rows = state.processes.map(({ name, state: is, pid, restarts, lastExit }) => {
    const history = restarts > 0 ? `restarted ${restarts} times, last because it ${lastExit}` : "";
    return `  ${titleOf(name).padEnd(18)}${is.padEnd(12)}${String(pid ?? "").padEnd(9)}${history}`.trimEnd();
  });
  return [...head, ...rows].join("\n");
}
