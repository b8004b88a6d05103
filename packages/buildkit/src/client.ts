import { randomUUID } from "node:crypto";
import { allAnswers, answered, askCapabilities, askExporter } from "./ask-builder.ts";
import { BuildFailed, buildFailure } from "./build-failed.ts";
import { BuilderLost } from "./builder-lost.ts";
import { runFrontend, type Frontend } from "./gateway.ts";
import { grpcChannel, type GrpcChannel } from "./grpc-client.ts";
import { grpcCode, GrpcError } from "./grpc-framing.ts";
import type { Definition } from "./llb.ts";
import { statusRequest, statusResponse, trackProgress, type BuildEvent, type Progress } from "./progress.ts";
import { codec } from "./protocol.ts";
import { openSession, type SessionServices } from "./session.ts";
import type { Transport } from "./transport.ts";

export type Exporter = { readonly type: string; readonly attrs: Readonly<Record<string, string>> };
export type CacheEntry = { readonly type: string; readonly attrs: Readonly<Record<string, string>> };

/** What to build: a frontend of the builder's, a frontend in this process, or a graph. */
export type SolveRequest = {
  readonly source:
    | { readonly frontend: string; readonly attrs: Readonly<Record<string, string>> }
    | { readonly run: Frontend }
    | { readonly definition: Definition };
  readonly services: SessionServices;
  /** Absent: the work is done and its result kept in the cache only. */
  readonly exporter?: Exporter;
  readonly cacheImports?: readonly CacheEntry[];
  readonly cacheExports?: readonly CacheEntry[];
};

export type SolveResult = { readonly exporterResponse: Readonly<Record<string, string>> };
export type SolveOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: BuildEvent) => void;
  /**
   * Takes away what an aborted build made, once the builder has ended it. No builder stops in the middle of an export:
   * where one takes longer than an abort may, that is after the rejection.
   */
  readonly undo?: () => Promise<void>;
  /** Nothing is built, and so nobody waits for reports of it. */
  readonly isQuestion?: boolean;
};

export type Worker = {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly version?: string;
};
export type Capabilities = { readonly llb: ReadonlySet<string>; readonly frontend: ReadonlySet<string> };
export type UsageRecord = {
  readonly id: string;
  readonly sizeBytes: number;
  readonly isInUse: boolean;
  readonly isShared: boolean;
  readonly description: string;
  readonly type: string;
};

export type BuildKit = {
  readonly transport: Transport;
  /** What this builder says it can do. Asked once; as all questions, it rejects with BuilderLost when none answers. */
  capabilities(): Promise<Capabilities>;
  /** Whether results can leave it that way: "image", "moby", "oci", "tar", "local" and so on. Each is asked once. */
  hasExporter(type: string): Promise<boolean>;
  workers(): Promise<Worker[]>;
  diskUsage(): Promise<UsageRecord[]>;
  /** Removes cached work nobody uses; resolves to what was removed. */
  prune(options?: { keepBytes?: number; keepDurationMs?: number; all?: boolean }): Promise<UsageRecord[]>;
  /**
   * Builds and exports. Rejects with BuildFailed when what is built is at fault, with the signal's reason within a
   * second of being aborted (by then no step runs any more), with BuilderLost when the builder went away.
   */
  solve(request: SolveRequest, options?: SolveOptions): Promise<SolveResult>;
};

type Usage = {
  id?: string;
  size?: number;
  inUse?: boolean;
  shared?: boolean;
  description?: string;
  recordType?: string;
};
type WorkerRecord = { id: string; labels: Record<string, string>; buildkitVersion?: { version?: string } };
const control = "/moby.buildkit.v1.Control";
const usage = codec<Usage>("UsageRecord");
const solveRequest = codec<Record<string, unknown>>("SolveRequest");
const methods = {
  workers: {
    path: `${control}/ListWorkers`,
    input: codec<object>("ListWorkersRequest"),
    output: codec<{ record: WorkerRecord[] }>("ListWorkersResponse"),
  },
  diskUsage: {
    path: `${control}/DiskUsage`,
    input: codec<object>("DiskUsageRequest"),
    output: codec<{ record: Usage[] }>("DiskUsageResponse"),
  },
  prune: {
    path: `${control}/Prune`,
    input: codec<{ all: boolean; keepDuration: number; keepBytes: number }>("PruneRequest"),
    output: usage,
  },
  solve: {
    path: `${control}/Solve`,
    input: solveRequest,
    output: codec<{ exporterResponse: Record<string, string> }>("SolveResponse"),
  },
  status: { path: `${control}/Status`, input: statusRequest, output: statusResponse },
};

/** Connects to a builder. Rejects with a sentence that says what could not be reached. */
export async function openBuildKit(transport: Transport): Promise<BuildKit & AsyncDisposable> {
  const { encoding } = transport;
  const channel = await grpcChannel(await transport.openControl(), encoding ? { encoding } : {});
  let asked: Promise<Capabilities> | undefined;
  const exporters = new Map<string, Promise<boolean>>();
  const solve: BuildKit["solve"] = (request, options = {}) => solveOver(transport, channel, request, options);
  return {
    transport,
    capabilities: () => (asked ??= askCapabilities(solve)),
    hasExporter(type) {
      const known = exporters.get(type) ?? askExporter(solve, type);
      exporters.set(type, known);
      return known;
    },
    async workers() {
      return (await answered((signal) => channel.unary(methods.workers, {}, { signal }))).record.map(
        toWorker,
      );
    },
    async diskUsage() {
      return (await answered((signal) => channel.unary(methods.diskUsage, {}, { signal }))).record.map(
        toUsage,
      );
    },
    async prune({ keepBytes = 0, keepDurationMs = 0, all = false } = {}) {
      const asks = { all, keepDuration: keepDurationMs * 1_000_000, keepBytes };
      const removed = await allAnswers((signal) => channel.stream(methods.prune, asks, { signal }));
      return removed.map(toUsage);
    },
    solve,
    async [Symbol.asyncDispose]() {
      channel.close();
    },
  };
}

const toWorker = ({ id, labels, buildkitVersion }: WorkerRecord): Worker => ({
  id,
  labels,
  ...(buildkitVersion?.version && { version: buildkitVersion.version }),
});

const toUsage = (record: Usage): UsageRecord => ({
  id: record.id ?? "",
  sizeBytes: record.size ?? 0,
  isInUse: record.inUse ?? false,
  isShared: record.shared ?? false,
  description: record.description ?? "",
  type: record.recordType ?? "",
});

async function solveOver(
  transport: Transport,
  channel: GrpcChannel,
  request: SolveRequest,
  { signal, onProgress = () => undefined, undo, isQuestion = false }: SolveOptions,
): Promise<SolveResult> {
  signal?.throwIfAborted();
  const ref = randomUUID();
  const session = await openSession(transport, channel, request.services);
  const progress = trackProgress(onProgress);
  const status = isQuestion ? unwatched : watch(channel, ref, progress, signal);
  try {
    const either = AbortSignal.any([session.lost, ...(signal ? [signal] : [])]);
    return await solveAndRun(channel, { ref, session: session.id }, request, either);
  } catch (error) {
    const isOver = await status.ended();
    if (signal?.aborted && undo)
      await (isOver ? undo().catch(() => undefined) : undoLater(transport, ref, undo));
    signal?.throwIfAborted();
    session.lost.throwIfAborted();
    throw told(error as Error, progress);
  } finally {
    await status.ended();
    progress.finish();
    session.close();
  }
}

function told(error: Error, progress: Progress): Error {
  if (!(error instanceof GrpcError)) return error;
  if (isLoss(error))
    return new BuilderLost(`the builder went away in the middle of the build: ${error.message}`, {
      cause: error,
    });
  return buildFailure(error, progress.failed());
}

/** What a builder says that is being stopped, or has lost the connection that this side answers on. */
const isLoss = ({ code, message }: GrpcError): boolean =>
  code === grpcCode.unavailable ||
  /no active session|session .*(closed|not found)|^(.*: )?context canceled$|transport is closing/.test(
    message,
  );

async function solveAndRun(
  channel: GrpcChannel,
  { ref, session }: { ref: string; session: string },
  { source, exporter, cacheImports = [], cacheExports = [] }: SolveRequest,
  signal: AbortSignal,
): Promise<SolveResult> {
  const [over, stuck] = [new AbortController(), new AbortController()];
  const asked = {
    ref,
    session,
    // Keeps the build, and the arguments in it, out of a history that others can read.
    internal: true,
    cache: { imports: cacheImports, exports: cacheExports },
    ...(exporter && { exporter: exporter.type, exporterAttrs: exporter.attrs, exporters: [exporter] }),
    ...("definition" in source && { definition: source.definition }),
    ...("frontend" in source && { frontend: source.frontend, frontendAttrs: source.attrs }),
  };
  const solved = channel.unary(methods.solve, asked, { signal: AbortSignal.any([signal, stuck.signal]) });
  if (!("run" in source)) return solved;
  void solved.catch(() => undefined).finally(() => over.abort());
  let failure: unknown;
  let timer: NodeJS.Timeout | undefined;
  const running = runFrontend(
    channel,
    { ref, session },
    source.run,
    AbortSignal.any([signal, over.signal]),
  ).catch((error: unknown) => {
    failure = error;
    timer = setTimeout(() => stuck.abort(error), frontendGraceMs);
  });
  try {
    return await solved;
  } catch (error) {
    await running;
    // The builder repeats what our frontend told it; the frontend's own words come first where they are a verdict.
    throw failure instanceof BuildFailed ? failure : error;
  } finally {
    clearTimeout(timer);
  }
}

/** How long a builder may take to end a build whose frontend failed; one that never heard of it would wait for ever. */
const frontendGraceMs = 5_000;

/** How long the last reports of a build that is over may take; of one that was aborted, whose caller waits. */
const [drainMs, abortedDrainMs] = [2_000, 500];

type Watched = {
  /** The builder has said all, or was given the time for it; answers which. */
  ended(): Promise<boolean>;
};

const unwatched: Watched = { ended: async () => true };

/** Follows the build's reports until the builder has no more, which is also when nothing of it runs any more. */
function watch(channel: GrpcChannel, ref: string, progress: Progress, signal?: AbortSignal): Watched {
  const stop = new AbortController();
  const read = (async () => {
    for await (const report of channel.stream(methods.status, { ref }, { signal: stop.signal }))
      progress.take(report);
  })().catch(() => undefined);
  return {
    async ended() {
      const timer = setTimeout(() => stop.abort(), signal?.aborted ? abortedDrainMs : drainMs);
      const hurry = (): void => void setTimeout(() => stop.abort(), abortedDrainMs).unref();
      signal?.addEventListener("abort", hurry);
      await read;
      signal?.removeEventListener("abort", hurry);
      clearTimeout(timer);
      return !stop.signal.aborted;
    },
  };
}

/** Waits for the builder's own end of a build that its caller no longer waits for. */
async function undoLater(transport: Transport, ref: string, undo: () => Promise<void>): Promise<void> {
  const { encoding } = transport;
  const channel = await grpcChannel(await transport.openControl(), encoding ? { encoding } : {});
  const followed = async (): Promise<void> => {
    try {
      for await (const _report of channel.stream(methods.status, { ref }));
    } finally {
      channel.close();
      await undo();
    }
  };
  void followed().catch(() => undefined);
}
