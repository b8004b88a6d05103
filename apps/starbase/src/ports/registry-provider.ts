/** The images of one service: a repository that belongs to its project. */
export type ImageRepository = { readonly projectId: string; readonly serviceId: string };

/** An image that a store holds. */
export type StoredImage = {
  /** `sha256:…`, by which a receipt names it. */
  readonly digest: string;
  /** Builders name an image by the id of its build; what people push has names of their own. */
  readonly tags: readonly string[];
  /** As the store counts: compressed in a registry, unpacked elsewhere. Layers that images share count in each. */
  readonly sizeBytes: number;
  /** When it came, or last got a name. */
  readonly storedAt: Date;
};

/** Where images lie: the runtime's own store, or a registry. All pass one conformance suite. */
export interface ImageStore {
  /** For a line of the log: "the Docker Engine's own store". */
  readonly title: string;
  /** What the names of its images begin with; `<prefix>/<project id>/<service id>` is a repository. */
  readonly prefix: string;
  /** Repositories that hold an image, whoever they belong to: two installations may share an engine or a registry. */
  repositories(): Promise<ImageRepository[]>;
  /** Newest first; none for a repository that was never pushed to. */
  images(repository: ImageRepository): Promise<StoredImage[]>;
  /**
   * Takes the image and its names out of the repository; one that is gone is no error. The same content in another
   * repository stays. Rejects while something runs on it, and changes nothing then.
   */
  remove(repository: ImageRepository, digest: string): Promise<void>;
}

export type RegistryAccess = "pull" | "push";

/** What a Docker client signs in with. Never for a log. */
export type RegistryCredentials = {
  /** `host[:port]`. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly expiresAt: Date;
};

export type GarbageCollection = {
  readonly id: string;
  readonly state: "running" | "succeeded" | "failed" | "cancelled";
  readonly startedAt: Date;
  /** Undefined until it has ended. */
  readonly freedBytes?: number;
  /** Why it failed, in a sentence. */
  readonly reason?: string;
};

/**
 * A registry that clusters pull from; a region has one. Every call rejects with Fault `unavailable` while it cannot be
 * reached or asks for patience longer than the call would wait.
 */
export interface RegistryProvider extends ImageStore {
  /** `host[:port]`, as it stands in image names and in Docker's list of sign-ins. */
  readonly host: string;
  /**
   * `host[:port]` as nodes of clusters reach it, which desired state puts in place of `host`. The same, but where the
   * registry is beside us on loopback and the nodes are elsewhere.
   */
  readonly clusterHost: string;
  /**
   * What a credential opens. `project`: the repositories of its project, so that it may be handed to people. `registry`:
   * all of it, because the vendor knows nothing smaller; such a credential stays with builders and clusters, and
   * Starbase sees to it that no project names another's image.
   */
  readonly credentialScope: "project" | "registry";
  /** Makes the repository if it has to be made, and answers its name in references, without tag and digest. */
  ensureRepository(repository: ImageRepository): Promise<string>;
  /** Good for `lifetimeSeconds` (60 to 31,536,000) from now. `push` includes `pull`; nothing opens a deletion. */
  credentials(
    projectId: string,
    access: RegistryAccess,
    lifetimeSeconds: number,
  ): Promise<RegistryCredentials>;
  /**
   * For a cluster: opens the project's images until then, and is the same for equal arguments, so that desired state
   * does not change by being written again. Undefined where clusters are let in by other means.
   */
  pullUntil(projectId: string, until: Date): RegistryCredentials | undefined;
  /**
   * Begins to free what removed images held and nothing else needs, or answers the one that runs already. Pulls go on
   * meanwhile, pushes are refused with a reason.
   */
  collectGarbage(): Promise<GarbageCollection>;
  /** The one that runs, else the last one this installation knows of. */
  garbageCollection(): Promise<GarbageCollection | undefined>;
}
