/** An image as its build is remembered by. */
export type LedgerImage = {
  /** With the digest. */
  readonly image: string;
  readonly imageDigest: string;
  readonly sizeBytes: number;
};

type BuildName = { readonly buildId: string; readonly workspaceId: string };

/**
 * Who runs which build, and which image came of it: what keeps one build from being run by two Workers at a time, and
 * from having two images, whenever one of them dies.
 */
export interface BuildLedger {
  /** `held`: the build is this process's from now on. `built`: it has its image already. */
  take(build: BuildName): Promise<Claim>;
  /** What is known of a build that this process does not run. `unknown` also where its image is gone. */
  of(build: BuildName): Promise<"running" | "unknown" | LedgerImage>;
}

export type Claim =
  | { readonly kind: "held"; readonly lease: BuildLease }
  | { readonly kind: "taken"; readonly by: string }
  | { readonly kind: "built" };

export type BuildLease = {
  /** Fires when another may have taken the build: what runs of it must end, and its image does not count. */
  readonly lost: AbortSignal;
  /** From now on the build has this image. Rejects when the build is another's by now. */
  succeed(image: LedgerImage): Promise<void>;
  /** The build is nobody's any more. Called once, whatever came of it. */
  release(): Promise<void>;
};
