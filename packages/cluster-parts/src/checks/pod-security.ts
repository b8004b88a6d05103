import { isKubeError } from "@starform/kubernetes/kube-error";
import type { Check } from "../examination.ts";
import { fieldManager } from "../ownership.ts";
import { findingsOf } from "./finding.ts";

const { ok, error } = findingsOf("pod security");
const namespace = "starform-system";

/** Asks for what must be refused: a pod that would be root on its node. It is a dry run either way. */
export const checkPodSecurity: Check = async ({ kube, signal }) => {
  const container = { name: "probe", image: "none.invalid/none:0", securityContext: { privileged: true } };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "starform-doctor", namespace },
    spec: { containers: [container], hostPID: true },
  };
  try {
    await kube.apply(pod, { fieldManager, dryRun: true }, signal);
    return [
      error(
        `a privileged pod may run in ${namespace}: the cluster does not enforce Pod Security`,
        "turn on the admission plugin PodSecurity of the API server; without it an app can take its node",
      ),
    ];
  } catch (cause) {
    if (isKubeError(cause, 403) && cause.message.includes("PodSecurity"))
      return [ok("a privileged pod is refused")];
    if (isKubeError(cause, 404))
      return [error(`there is no namespace ${namespace} to try it in`, "run starform cluster bootstrap")];
    throw cause;
  }
};
