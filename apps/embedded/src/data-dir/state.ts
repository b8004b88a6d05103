import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { holderOf } from "@starform/std/lock";
import type { ProgramStatus } from "../supervisor/program.ts";

/** What `--detach --json` prints: all that a program needs to use the platform. */
export type PlatformDescription = {
  readonly dashboardUrl: string;
  readonly apiUrl: string;
  /** What a service's name is put before: `<service>-<project>.<appsDomain>`. */
  readonly appsDomain: string;
  readonly gatewayUrl: string;
  readonly gitUrl: string;
  /** Signs its first visitor in as the owner, once. */
  readonly ownerLoginUrl: string;
  readonly ownerToken: string;
  readonly dataDir: string;
  /** What runs the apps. */
  readonly runtime: "docker" | "process" | "kubernetes";
  /** The engine that builds images, as `DOCKER_HOST` names it; left out where there is none. */
  readonly dockerHost?: string;
  /** The engine ran before, and neither bounds builds nor keeps them from the network; left out where builds are bounded. */
  readonly areBuildsUnbounded?: true;
  /** Where they run, if not on this machine. */
  readonly cluster?: {
    readonly id: string;
    readonly kubeconfigFile: string;
    readonly kubernetesVersion: string;
    /** As its nodes name the registry that built images are pulled from; `null` where nothing can be built for it. */
    readonly registry: string | null;
  };
  /** Which engine serves what. */
  readonly stores: {
    readonly database: string;
    readonly logs: string;
    readonly metrics: string;
    readonly jobs: string;
    readonly images: string;
  };
};

/** Kept in `run/state.json` while the platform runs, without its secrets. */
export type PlatformState = Omit<PlatformDescription, "ownerToken" | "ownerLoginUrl"> & {
  readonly processes: readonly ProgramStatus[];
};

const fileOf = (dataDir: string) => join(dataDir, "run", "state.json");

export function writeState(dataDir: string, state: PlatformState): void {
  const draft = `${fileOf(dataDir)}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(draft, fileOf(dataDir));
}

export const removeState = (dataDir: string): void => rmSync(fileOf(dataDir), { force: true });

export function readState(dataDir: string): PlatformState | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(dataDir), "utf8")) as PlatformState;
  } catch {
    return undefined;
  }
}

/** The process that keeps the platform of this data directory running, if one does. */
export const supervisorOf = (dataDir: string): number | undefined => {
  try {
    return holderOf(join(dataDir, "run", "lock"))?.pid;
  } catch {
    return undefined;
  }
};
