import { Fault } from "@starform/std/fault";
import type { Commit, SourceRef } from "../builds/ports.ts";
import type { CollectedImage } from "./retention-store.ts";

type Wanted = {
  /** "deployment #12" */
  readonly whose: string;
  readonly commit?: Commit | null;
  readonly source?: SourceRef | null;
};

/** What is said to who wants an image that was given up: when, why, and the way to get it again. */
export function collectedFault({ collectedAt, reason }: CollectedImage, wanted: Wanted): Fault {
  const why =
    reason === "age" ? "nothing had used it for long" : "the images of the workspace had outgrown their plan";
  return new Fault(
    "gone",
    `the image of ${wanted.whose} was collected on ${collectedAt.toISOString().slice(0, 10)}, because ${why}: ${wayTo(wanted)}`,
  );
}

function wayTo({ commit, source }: Wanted): string {
  if (source?.kind === "commit")
    return `deploy its commit again with \`starform redeploy --ref ${source.sha}\``;
  if (source?.kind === "git" && commit)
    return `deploy its commit again with \`starform redeploy --ref ${commit.sha}\``;
  if (source?.kind === "upload")
    return `deploy its folder again with \`starform up\`${commit ? ` (it was at commit ${commit.sha.slice(0, 12)})` : ""}`;
  return "deploy it again from where it comes from";
}
