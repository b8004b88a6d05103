import { resolve } from "node:path";
import { Fault } from "@starform/std/fault";
import type { Env } from "@starform/std/parse-env";
import type { Flags } from "./flags.ts";
import { clusterChoice, type ClusterChoice } from "./cluster-choice.ts";
import { portsFrom } from "./ports.ts";

export type RuntimeChoice = "auto" | "docker" | "process";
export type StartOptions = {
  readonly dataDir: string;
  readonly portBase: number;
  readonly runtime: RuntimeChoice;
  readonly isFresh: boolean;
  readonly mayInstallPackages: boolean;
  readonly isWatching: boolean;
  /** A PostgreSQL of one's own instead of the embedded one. */
  readonly databaseUrl: string | undefined;
  readonly dockerHost: string | undefined;
  readonly cluster: ClusterChoice;
};

const portsUsed = Object.keys(portsFrom(0)).length;

/** Checks what the flags and the environment ask for; `root` is where a relative default lies. */
export function startOptions(flags: Flags, env: Env, root: string): StartOptions {
  return {
    dataDir: dataDirOf(flags, root),
    portBase: portBaseOf(flags["port-base"]),
    runtime: runtimeOf(flags["runtime"]),
    isFresh: flags["fresh"] === true,
    mayInstallPackages: flags["no-system-packages"] !== true,
    isWatching: flags["watch"] === true,
    databaseUrl: databaseUrlOf(env["DATABASE_URL"]),
    dockerHost: env["DOCKER_HOST"] || undefined,
    cluster: clusterChoice(flags, env),
  };
}

/** A relative folder is meant from where the person typed the command, not from where npm changed to. */
export const dataDirOf = (flags: Flags, root: string, env: Env = process.env): string =>
  typeof flags["data-dir"] === "string"
    ? resolve(env["INIT_CWD"] ?? process.cwd(), flags["data-dir"])
    : resolve(root, ".starform");

function portBaseOf(text: string | true | undefined): number {
  if (text === undefined) return 4400;
  const port = Number(text);
  const max = 65_535 - portsUsed + 1;
  if (!Number.isInteger(port) || port < 1 || port > max)
    throw new Fault(
      "invalid",
      `--port-base ${String(text)} is not a port: give a whole number from 1 to ${max}`,
    );
  return port;
}

function runtimeOf(text: string | true | undefined): RuntimeChoice {
  if (text === undefined) return "auto";
  if (text === "auto" || text === "docker" || text === "process") return text;
  throw new Fault("invalid", `--runtime ${String(text)} is not a runtime: choose auto, docker or process`);
}

/** The environment's `DATABASE_URL`; a Fault where it is none. */
export function databaseUrlOf(url: string | undefined): string | undefined {
  if (!url) return undefined;
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new Fault(
    "invalid",
    "DATABASE_URL must be written postgresql://user:password@host:port/database; unset it to use the embedded PostgreSQL",
  );
}
