import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "@starform/std/fault";
import type { ClusterChoice } from "../options/cluster-choice.ts";

type Kind = ClusterChoice["kind"];
const fileOf = (dataDir: string): string => join(dataDir, "cluster-kind");

/** The cluster that a data directory knows; undefined where there is none yet, or it is to begin anew. */
export function clusterIdIn(dataDir: string, isFresh: boolean): string | undefined {
  const file = join(dataDir, "secrets", "cluster-id");
  return isFresh || !existsSync(file) ? undefined : readFileSync(file, "utf8").trim();
}

/**
 * Notes where the apps of a data directory run. They cannot change places: images of this machine's store are on no
 * cluster, and a cluster's projects would be forgotten there. Refuses what does not fit with the way out.
 */
export function keepClusterKind(dataDir: string, kind: Kind): void {
  const known = kindOf(dataDir);
  if (known !== undefined && known !== kind)
    throw new Fault(
      "conflict",
      known === "embedded"
        ? `the apps in ${dataDir} run on this machine, and do not move to a cluster: choose another --data-dir, or --fresh`
        : `the apps in ${dataDir} run on a Kubernetes cluster: start with --cluster kubernetes, or choose another --data-dir`,
    );
  writeFileSync(fileOf(dataDir), `${kind}\n`);
}

function kindOf(dataDir: string): Kind | undefined {
  if (existsSync(fileOf(dataDir))) return readFileSync(fileOf(dataDir), "utf8").trim() as Kind;
  // Written before it was noted: there was one kind only.
  return existsSync(join(dataDir, "secrets", "cluster-id")) ? "embedded" : undefined;
}
