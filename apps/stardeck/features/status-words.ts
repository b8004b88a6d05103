import type { Deployment } from "@starform/contract/deployments";
import type { Service } from "@starform/contract/services";
import { isFinal, type DeploymentStatus, type ServicePhase } from "@starform/contract/states";
import type { Tone } from "../ui/status.tsx";

export type StateWords = { readonly tone: Tone; readonly word: string };

const deploymentWords: Record<DeploymentStatus, StateWords> = {
  pending: { tone: "busy", word: "Queued" },
  building: { tone: "busy", word: "Building" },
  built: { tone: "busy", word: "Built" },
  deploying: { tone: "busy", word: "Deploying" },
  deployed: { tone: "still", word: "Replaced" },
  failed: { tone: "bad", word: "Failed" },
  cancelled: { tone: "still", word: "Cancelled" },
};
const phaseWords: Record<ServicePhase, StateWords> = {
  not_deployed: { tone: "still", word: "Not deployed" },
  starting: { tone: "busy", word: "Starting" },
  running: { tone: "good", word: "Running" },
  degraded: { tone: "warn", word: "Degraded" },
  crashed: { tone: "bad", word: "Crashed" },
  stopped: { tone: "still", word: "Stopped" },
  scheduled: { tone: "good", word: "Scheduled" },
};

export const saysDeployment = ({ status, isActive }: Pick<Deployment, "status" | "isActive">): StateWords =>
  status === "deployed" && isActive ? { tone: "good", word: "Live" } : deploymentWords[status];

export const isUnderWay = (latest: { status: DeploymentStatus } | null | undefined): boolean =>
  latest !== null && latest !== undefined && !isFinal(latest.status);

/** A service by what is most worth knowing: work under way first, then what runs, then why nothing does. */
export function saysService({
  health,
  latestDeployment,
}: Pick<Service, "health" | "latestDeployment">): StateWords {
  if (latestDeployment && isUnderWay(latestDeployment)) return deploymentWords[latestDeployment.status];
  if (health.phase === "not_deployed" && latestDeployment?.status === "failed") return deploymentWords.failed;
  return phaseWords[health.phase];
}

export const triggerWords: Record<Deployment["trigger"], string> = {
  push: "git push",
  up: "starform up",
  api: "API",
  redeploy: "redeploy",
  rollback: "rollback",
  variables: "variables changed",
  settings: "settings changed",
};
