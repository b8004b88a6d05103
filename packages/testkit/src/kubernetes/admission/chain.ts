import type { Admission } from "./admission.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { defaultStorageClass, priority, serviceAccount, tolerations } from "./pod-admission.ts";
import { podSecurity } from "./pod-security.ts";
import { resourceQuota } from "./resource-quota.ts";

/** In the server's own order; quota is last, so that nothing is charged that is refused for another reason. */
export const admissionChain: readonly Admission[] = [
  namespaceLifecycle,
  limitRanger,
  serviceAccount,
  podSecurity,
  priority,
  tolerations,
  defaultStorageClass,
  resourceQuota,
];
