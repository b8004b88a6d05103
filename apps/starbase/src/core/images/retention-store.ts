import type { Plan } from "@starform/contract/plans";
import type { ImageRepository } from "../../ports/registry-provider.ts";
import type { ReceiptFact } from "./decide-images.ts";

export type OwnedRepository = ImageRepository & { readonly workspaceId: string; readonly plan: Plan };

/** An image that was given up. */
export type CollectedImage = ImageRepository & {
  readonly image: string;
  readonly reason: "age" | "size";
  readonly sizeBytes: number;
  readonly collectedAt: Date;
  /** null until its store has let it go. */
  readonly removedAt: Date | null;
};

/** What receipts say of images, and which images were given up. */
export interface RetentionStore {
  /** Those of the repositories whose service this installation has: two installations may share an engine. */
  owned(repositories: readonly ImageRepository[]): Promise<OwnedRepository[]>;
  /** Every deployment with an image, of a workspace or of one of its projects. */
  receipts(of: { workspaceId: string; projectId?: string }): Promise<ReceiptFact[]>;
  /**
   * Until the transaction ends no deployment of the project is made, rolled back or begun to be built: all of them hold
   * their place first. Of one service only, where that is given. Answers whether anything of it is being built.
   */
  hold(of: { projectId: string; serviceId?: string }): Promise<{ isBuilding: boolean }>;
  mark(collected: CollectedImage): Promise<void>;
  find(projectId: string, image: string): Promise<CollectedImage | undefined>;
  /** Marked and not removed, of the whole installation, oldest first. */
  unremoved(): Promise<CollectedImage[]>;
  setRemoved(projectId: string, image: string, at: Date): Promise<void>;
  /** It is there again. */
  unmark(projectId: string, image: string): Promise<void>;
}
