import { BuilderLost } from "@starform/buildkit/builder-lost";
import { openBuildKit, type BuildKit } from "@starform/buildkit/client";
import { tlsTransport, type TlsEndpoint, type Transport } from "@starform/buildkit/transport";
import { wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import type { BuilderPool } from "../buildkit/builder-pool.ts";
import type { Watch } from "../buildkit/watched-build.ts";
import type { DepotApi, DepotBuild, DepotOutcome } from "./depot-api.ts";
import type { DepotRecords } from "./depot-records.ts";

export type DepotPoolOptions = {
  readonly api: DepotApi;
  readonly records: DepotRecords;
  /** Where new projects lie. */
  readonly regionId: string;
  readonly cacheGb: number;
  /** For the operator. */
  readonly log: (text: string) => void;
  /** How long a Worker may say nothing before its builds are ended for it. */
  readonly abandonedSeconds?: number;
  /** How a machine is reached, where that is not over TLS alone. */
  readonly transportOf?: (endpoint: TlsEndpoint) => Transport;
};

/** A machine answers some seconds after Depot has named it, rarely minutes. */
const dialMs = 5 * 60_000;
const dialEveryMs = 1_000;
const touchEveryMs = 5_000;
/** How long the end of a build waits for Depot to have heard of it; the rest goes on by itself. */
const tidyMs = 800;

/** One Depot project for each workspace, since a project's cache is its builds' common ground; one machine for each build. */
export function depotPool(options: DepotPoolOptions): BuilderPool &
  AsyncDisposable & {
    /** Ends builds whose Worker died, and removes what belongs to workspaces that are gone. */
    sweep(): Promise<void>;
  } {
  const { api, records, log, regionId, cacheGb, abandonedSeconds = 60 } = options;
  const tidying = new Set<Promise<void>>();

  const projectOf = (workspaceId: string): Promise<string> =>
    records.project(workspaceId, async () => {
      const name = `starform-${workspaceId}`;
      // One that was made by a Worker which died before it could write it down.
      const known = (await api.projects()).find((one) => one.name === name);
      return (known ?? (await api.createProject({ name, regionId, cacheGb }))).projectId;
    });

  async function end(build: DepotBuild, outcome: DepotOutcome): Promise<void> {
    // Finishing takes the machine away too: a release that fails must not keep it from that.
    await api
      .release(build)
      .catch((error: unknown) => log(`a Depot machine was not given back: ${wordsOf(error)}`));
    await api.finish(build, outcome);
    await records.remove(build.buildId);
  }

  /** What one thing cannot be done for must not keep the rest from it; the next sweep tries again. */
  const apart = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log(`Depot was not tidied: ${wordsOf(error)}`));

  /** On every way out; what fails here is tried again by a sweep. */
  async function tidy(build: DepotBuild, outcome: DepotOutcome): Promise<void> {
    const ending = end(build, outcome)
      .catch((error: unknown) => log(`Depot build ${build.buildId} was not ended yet: ${wordsOf(error)}`))
      .finally(() => tidying.delete(ending));
    tidying.add(ending);
    await Promise.race([ending, pause(tidyMs)]);
  }

  return {
    async ensureProject(workspaceId) {
      await projectOf(workspaceId);
    },

    async withBuilder({ workspaceId }, watch, use) {
      const projectId = await projectOf(workspaceId);
      watch.signal.throwIfAborted();
      const build = await api.createBuild(projectId);
      watch.hide("Depot's token", build.token);
      let outcome: DepotOutcome = { error: "the build did not get as far as a machine" };
      try {
        await records.add(build);
        const result = await onMachine(options, build, watch, use);
        outcome = "success";
        return result;
      } catch (error) {
        outcome = { error: watch.signal.aborted ? "cancelled" : watch.redact(wordsOf(error)).slice(0, 500) };
        throw error;
      } finally {
        await tidy(build, outcome);
      }
    },

    async sweep() {
      for (const build of await records.abandoned(abandonedSeconds)) {
        log(`Depot build ${build.buildId} was left by a Worker that died; it is ended now`);
        await apart(end(build, { error: "the Worker that ran this build died" }));
      }
      for (const { projectId, remove } of await records.orphans())
        await apart(api.deleteProject(projectId).then(remove));
    },

    async [Symbol.asyncDispose]() {
      await Promise.all(tidying);
    },
  };
}

async function onMachine<T>(
  { api, records, log, transportOf = tlsTransport }: DepotPoolOptions,
  build: DepotBuild,
  watch: Watch,
  use: (client: BuildKit) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const beat = (async () => {
    while (!over.signal.aborted) {
      await records.touch(build.buildId).catch((error: unknown) => log(wordsOf(error)));
      await pause(touchEveryMs, over.signal);
    }
  })();
  let reports: Promise<void> | undefined;
  try {
    let waits = 0;
    const endpoint = await api.endpoint(build, watch.signal, () => {
      if (waits++ === 0) watch.say("waiting for a build machine");
    });
    reports = api.reportHealth(build, over.signal);
    await using client = await dial(transportOf(endpoint), watch.signal);
    return await use(client);
  } finally {
    over.abort();
    await Promise.all([beat, reports]);
  }
}

/** Tries until the machine answers as a builder. */
async function dial(transport: Transport, signal: AbortSignal): Promise<BuildKit & AsyncDisposable> {
  const deadline = performance.now() + dialMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      const client = await openBuildKit(transport);
      await client.workers().catch(async (error: unknown) => {
        await client[Symbol.asyncDispose]();
        throw error;
      });
      return client;
    } catch (error) {
      if (!(error instanceof BuilderLost) || performance.now() > deadline) throw error;
      await pause(dialEveryMs, signal);
    }
  }
}
