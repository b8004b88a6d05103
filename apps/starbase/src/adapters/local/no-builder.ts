import type { BuildService } from "../../ports/build-service.ts";

/**
 * Where nothing can be built: what is deployed from source fails with the reason, and images that were built elsewhere are
 * deployed as ever.
 */
export const noBuilder = (lack: string): BuildService => ({
  async ensureProject() {
    // Nobody builds here.
  },
  submitBuild: async ({ buildId, workspaceId }) => ({ buildId, workspaceId }),
  async *streamLogs() {
    // Nothing was said.
  },
  getBuildStatus: async () => ({
    state: "failed",
    reason: `nothing can be built on this installation: ${lack}. An image that was built elsewhere can be deployed: --image`,
  }),
  async cancelBuild() {
    // It has failed by then.
  },
});
