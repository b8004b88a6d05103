import type { ImageTraits } from "./context.ts";

/** Of the pod, after the restricted Pod Security standard. A volume belongs to the app's group. */
export const podSecurity = ({ userId }: ImageTraits) => ({
  runAsNonRoot: true,
  runAsUser: userId,
  runAsGroup: userId,
  fsGroup: userId,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
});

/** Of each container: nothing it has and nothing it can gain. */
export const containerSecurity = ({ hasReadOnlyRoot }: ImageTraits) => ({
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: hasReadOnlyRoot,
  capabilities: { drop: ["ALL"] },
});
