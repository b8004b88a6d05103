import { Fault } from "@starform/std/fault";
import type { Commit, SourceRef } from "../builds/ports.ts";
import type { RetentionStore } from "./retention-store.ts";

/** Refuses an image that was given up, with the way to get it again. Its place is held by the caller. */
export async function refuseCollected(
  retention: Pick<RetentionStore, "find">,
  projectId: string,
  wanted: {
    readonly image: string;
    /** "deployment #12" */
    readonly whose: string;
    readonly commit?: Commit | null;
    readonly source?: SourceRef | null;
  },
): Promise<void> {
  const collected = await retention.find(projectId, wanted.image);
  if (!collected) return;
  const on = collected.collectedAt.toISOString().slice(0, 10);
  const why =
    collected.reason === "age"
      ? "nothing had used it for long"
      : "the images of the workspace had outgrown their plan";
  throw new Fault(
    "gone",
    `the image of ${wanted.whose} was collected on ${on}, because ${why}: ${wayTo(wanted)}`,
  );
}

function wayTo({ commit, source }: { commit?: Commit | null; source?: SourceRef | null }): string {
  if (source?.kind === "commit")
    return `deploy its commit again with \`starform redeploy --ref ${source.sha}\``;
  if (source?.kind === "git" && commit)
    return `deploy its commit again with \`starform redeploy --ref ${commit.sha}\``;
  if (source?.kind === "upload")
    return `deploy its folder again with \`starform up\`${commit ? ` (it was at commit ${commit.sha.slice(0, 12)})` : ""}`;
  return "deploy it again from where it comes from";
}
