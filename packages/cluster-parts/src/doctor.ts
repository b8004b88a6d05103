import { wordsOf } from "@starform/std/fault";
import { checkClocks } from "./checks/clocks.ts";
import { checkGateway } from "./checks/gateway.ts";
import { checkLabels } from "./checks/labels.ts";
import { checkMetricsApi } from "./checks/metrics-api.ts";
import { checkOwner } from "./checks/owner.ts";
import { checkParts, nothingHere } from "./checks/parts.ts";
import { checkPlatformLines } from "./checks/platform-lines.ts";
import { checkPodSecurity } from "./checks/pod-security.ts";
import { checkRights } from "./checks/rights.ts";
import { checkStarbase } from "./checks/starbase.ts";
import { checkStorage } from "./checks/storage.ts";
import { checkVersions } from "./checks/versions.ts";
import { readFacts } from "./cluster-facts.ts";
import type { Check, DoctorDeps, Finding } from "./examination.ts";

const checks: Readonly<Record<string, Check>> = {
  versions: checkVersions,
  owner: checkOwner,
  parts: checkParts,
  gateway: checkGateway,
  metrics: checkMetricsApi,
  labels: checkLabels,
  rights: checkRights,
  "pod security": checkPodSecurity,
  storage: checkStorage,
  clocks: checkClocks,
  "platform lines": checkPlatformLines,
  starbase: checkStarbase,
};

/** What is wrong of these where nothing is there follows from it. */
const ofParts: ReadonlySet<string> = new Set([
  "gateway",
  "metrics",
  "labels",
  "rights",
  "pod security",
  "platform lines",
  "starbase",
]);

/** Looks at a cluster and changes nothing. A check that cannot be made is a finding too, and keeps no other from being made. */
export async function examineCluster(
  deps: DoctorDeps,
  tell: (finding: Finding) => void,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const examination = { ...deps, facts: await readFacts(deps.kube, signal), signal };
  const all: Finding[] = [];
  for (const [check, look] of Object.entries(checks)) {
    // Where Shuttle runs elsewhere, the rights are the kubeconfig's.
    const isOwnRights = check === "rights" && !deps.askStarbase;
    if (all.includes(nothingHere) && ofParts.has(check) && !isOwnRights) continue;
    const findings = await look(examination).catch((error: unknown) => {
      signal?.throwIfAborted();
      return [{ check, level: "error", says: `this could not be looked at: ${wordsOf(error)}` } as const];
    });
    for (const finding of findings) tell(finding);
    all.push(...findings);
  }
  return all;
}
