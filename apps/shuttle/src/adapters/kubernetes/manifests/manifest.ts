/** What is sent to the API server as one server-side apply: only fields that Shuttle owns. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

/** `<kind>/<namespace>/<name>`: names one object within a cluster. */
export type ManifestRef = string;

export type Dependency = {
  readonly on: ManifestRef;
  /**
   * `applied`: the API server has taken it. `ready-once`: it was ready at least once since it was made; only the first
   * deployment waits, a later one has a route already.
   */
  readonly until: "applied" | "ready-once";
};

/** One manifest with what must be there before it. Steps come in an order in which every dependency stands earlier. */
export type ManifestStep = {
  readonly ref: ManifestRef;
  readonly manifest: Manifest;
  readonly after: readonly Dependency[];
};

export const refTo = (kind: string, namespace: string | undefined, name: string): ManifestRef =>
  `${kind}/${namespace ?? ""}/${name}`;

export const refOf = ({ kind, metadata }: Manifest): ManifestRef =>
  refTo(kind, metadata.namespace, metadata.name);

export const step = (manifest: Manifest, ...after: readonly (ManifestRef | Dependency)[]): ManifestStep => ({
  ref: refOf(manifest),
  manifest,
  after: after.map((on) => (typeof on === "string" ? { on, until: "applied" } : on)),
});
