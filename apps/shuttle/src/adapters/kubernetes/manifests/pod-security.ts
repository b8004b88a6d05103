import type { DesiredService } from "@starform/contract/clusters";
import type { ManifestContext } from "./context.ts";

/** Of the pod, after the restricted Pod Security standard. A volume belongs to the app's group. */
export const podSecurity = ({ appUserId: userId }: ManifestContext) => ({
  runAsNonRoot: true,
  runAsUser: userId,
  runAsGroup: userId,
  fsGroup: userId,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
});

/** Of each container: nothing it has and nothing it can gain. An image that nothing is known of may write to its own layer. */
export const containerSecurity = ({ image_traits }: DesiredService) => ({
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: image_traits?.has_read_only_root ?? false,
  capabilities: { drop: ["ALL"] },
});
