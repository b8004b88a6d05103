import type { PlanDraft } from "./plan-draft.ts";

/** One language or kind of app: whether a source is of that kind, and how such a source is built and started. */
export interface Provider {
  /** Railpack's name for it. */
  readonly name: string;
  /** Shown to people. */
  readonly label: string;
  /** What makes a source of this kind, for the message when nothing is found. */
  readonly looksFor: readonly string[];
  /** Those of them that make a folder a project of its own; one that has others alone may be a part of the app above it. */
  readonly manifests: readonly string[];
  detects(draft: Pick<PlanDraft, "tree" | "variables">): boolean;
  /** Writes steps, versions, caches and the deploy into the draft. Throws PlanRefusal where the source is broken. */
  plan(draft: PlanDraft): void;
  /** What to add when there is no way to start the app. */
  startHint(draft: PlanDraft): string;
}
