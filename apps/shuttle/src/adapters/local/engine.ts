import type { GatewayDoor } from "@starform/contract/gateway";

/**
 * What a local cluster asks of the machine: start, stop and look at single instances. It decides nothing; when to
 * start or stop what is the orchestrator's (`service-controller.ts`).
 */

export type ImageCredentials = {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
};

/** What an instance is made from. */
export type InstanceSpec = {
  /** Unique for ever on this machine, and good as a host name: small letters, digits, hyphens, at most 63. */
  readonly id: string;
  /** Kept beside the instance and given back by `list`, over restarts of Shuttle, of the engine and of the machine. */
  readonly labels: Readonly<Record<string, string>>;
  /** With digest, as desired state says it. */
  readonly image: string;
  /** What to sign in with, should it have to be pulled. Never for a log. */
  readonly imageCredentials?: ImageCredentials | undefined;
  /** Replaces the image's own start command; a shell command. */
  readonly command: string | null;
  readonly env: Readonly<Record<string, string>>;
  /**
   * What the app is told in `PORT` where instances have a network of their own; an engine without one chooses a free
   * port of the machine. `null`: the instance has no port.
   */
  readonly port: number | null;
  readonly limits: {
    /** Until `setCpu`; more than the tier's, so that starting is not slowed down. */
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly processesMax: number;
  };
  /** It runs without writing outside of /tmp and its volumes: an engine that can keeps it from that. */
  readonly hasReadOnlyRoot: boolean;
  /** Kept apart from the instance, by name, and mounted at the path. */
  readonly volumes: readonly { readonly name: string; readonly mountPath: string }[];
};

/** How an instance ended. All unknown (`null`, false) when the machine or the engine went down under it. */
export type InstanceExit = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly isOom: boolean;
  /** It ended with the machine or the engine, not by itself: no crash. */
  readonly isLost: boolean;
};

export type Instance = {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the app was told in `PORT`. */
  readonly port: number | null;
  /** Where that port is reached from this machine. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Where its network has a place for the gateway to listen, for its neighbours' requests. */
  readonly door: GatewayDoor | null;
  readonly startedAtMs: number;
  /** Undefined while it runs. */
  readonly exit: InstanceExit | undefined;
};

/** What no repetition can heal: the user has to change something. */
export type Refusal = {
  readonly kind: "image_missing" | "command_missing" | "invalid";
  readonly reason: string;
};
export type StartResult =
  | { readonly kind: "started"; readonly instance: Instance }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export type StopResult = "ended" | "killed";

export type OutputChunk = {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
  /** When it was written, as far as the engine knows. */
  readonly atMs: number;
  /** Hand this to `output` to go on behind this chunk. */
  readonly cursor: string;
  /** Bytes that the engine dropped before this chunk, because the output outgrew its bound. */
  readonly droppedBytes: number;
};

export type InstanceUsage = { readonly cpuSeconds: number; readonly memoryWorkingSetBytes: number };

export interface Engine extends AsyncDisposable {
  readonly runtime: "process" | "docker";
  /** Each instance has a network of its own: what listens on loopback only is out of reach. */
  readonly isolatesNetwork: boolean;
  /** What the engine really holds apart, for `register`: `memory-limit`, `cpu-limit`, `sandbox`, … */
  readonly capabilities: readonly string[];
  readonly machine: { readonly cpuMillis: number; readonly memoryBytes: number };
  /** Resolves once the process runs. Rejects when the engine cannot be reached: try again. */
  start(spec: InstanceSpec): Promise<StartResult>;
  /** SIGTERM, then SIGKILL after `drainMs`; resolves when it has ended: whether it had to be killed. No error if it has already ended. */
  stop(id: string, drainMs: number): Promise<StopResult>;
  /** Ends it at once if it runs and forgets it with all it left, output included. */
  remove(id: string): Promise<void>;
  /** The instance as it is now; undefined once it was removed. */
  find(id: string): Promise<Instance | undefined>;
  /** Every instance of this cluster that was not removed, running or not. */
  list(): Promise<readonly Instance[]>;
  /** Tells the id of an instance that may have ended, also of ones found again; `list` says how. */
  watch(listener: (id: string) => void): Disposable;
  /** Output from the cursor (undefined: the beginning) on, as it comes, whole lines where possible; ends after the last byte of an ended instance. */
  output(id: string, cursor: string | undefined, signal: AbortSignal): AsyncIterable<OutputChunk>;
  usage(): Promise<ReadonlyMap<string, InstanceUsage>>;
  hasImage(image: string): Promise<boolean>;
  /** TCP ports the instance listens on now; undefined where that cannot be seen. */
  listeners(
    id: string,
  ): Promise<
    readonly { readonly port: number; readonly isLoopback: boolean; readonly host: string }[] | undefined
  >;
  /** Sets the share of the processor while it runs. */
  setCpu(id: string, cpuMillis: number): Promise<void>;
}
