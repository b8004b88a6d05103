import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Command, Program } from "./program.ts";

/** Names of the environment that every program may see; everything else is given by name. */
const passed = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "TZ",
  "TMPDIR",
  "SHELL",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "npm_config_registry",
  "NPM_CONFIG_REGISTRY",
  "NPM_CONFIG_USERCONFIG",
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "GOPROXY",
  "PIP_INDEX_URL",
];

export const baseEnvironment = (
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> =>
  Object.fromEntries(passed.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));

/**
 * Starts the program in a session of its own, so that a Ctrl-C of the terminal does not reach it before its turn,
 * with its output appended to the log. On Linux the kernel tells it to stop if this process is killed.
 */
export function spawnProgram(
  {
    command,
    stopSignal,
    orphanSignal = stopSignal,
  }: Pick<Program, "command" | "stopSignal" | "orphanSignal">,
  logFile: string,
): ChildProcess {
  const log = openSync(logFile, "a", 0o600);
  try {
    const [file, ...args] = words(command, orphanSignal);
    return spawn(file ?? "", args, {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...baseEnvironment(), ...command.env },
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      ...(command.uid === undefined ? {} : { uid: command.uid }),
      ...(command.gid === undefined ? {} : { gid: command.gid }),
    });
  } finally {
    closeSync(log);
  }
}

const words = (command: Command, orphanSignal: NodeJS.Signals): string[] => [
  ...(command.prefix ?? []),
  ...(hasSetpriv() ? ["setpriv", "--pdeathsig", orphanSignal.slice(3), "--"] : []),
  command.file,
  ...command.args,
];

let setpriv: boolean | undefined;
const hasSetpriv = (): boolean =>
  (setpriv ??=
    process.platform === "linux" &&
    spawnSync("setpriv", ["--pdeathsig", "TERM", "true"], { stdio: "ignore" }).status === 0);
