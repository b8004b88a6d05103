import {
  dockerTransport,
  tcpTransport,
  tlsTransport,
  unixTransport,
  type Transport,
} from "@starform/buildkit/transport";
import { onePool, pruneCache } from "../adapters/buildkit/builder-pool.ts";
import { remoteBuildService } from "../adapters/buildkit/remote-build-service.ts";
import { depotApi } from "../adapters/depot/depot-api.ts";
import { depotPool } from "../adapters/depot/depot-pool.ts";
import { postgresBuildLedger, pruneBuildLeases } from "../adapters/postgres/build-ledger.ts";
import type { Db } from "../adapters/postgres/database.ts";
import { postgresDepotRecords } from "../adapters/postgres/depot-records.ts";
import type { BuildKitEndpoint, BuildServiceConfig } from "../build-service-config.ts";
import { isStored } from "../core/images/is-stored.ts";
import type { SecretBox } from "../core/variables/ports.ts";
import type { BuildService } from "../ports/build-service.ts";
import type { CronJob } from "../ports/job-queue.ts";
import type { RegistryProvider } from "../ports/registry-provider.ts";

export type RemoteBuildDeps = {
  readonly db: Db;
  readonly box: Pick<SecretBox, "seal" | "open">;
  readonly registry: RegistryProvider;
  /** Logs of builds that run here. */
  readonly workDir: string;
  readonly log: (text: string) => void;
  readonly leaseMs?: number;
  readonly abandonedSeconds?: number;
  /** Adds to how a builder is reached: a Docker Engine behind it, which can push where its BuildKit cannot. */
  readonly transportOf?: (transport: Transport) => Transport;
};

export type RemoteBuilds = {
  readonly builds: BuildService;
  /** `builders.tend` clears away what dead Workers left, `builders.prune` bounds the builder's cache where nobody else does. */
  readonly crons: readonly CronJob[];
};

type RemoteConfig = Extract<BuildServiceConfig, { kind: "buildkit" | "depot" }>;
const leasesKeptMs = 7 * 86_400_000;

/** A builder elsewhere, which pushes into the installation's registry. */
export async function openRemoteBuilds(
  config: RemoteConfig,
  deps: RemoteBuildDeps,
  stack: AsyncDisposableStack,
): Promise<RemoteBuilds> {
  const { db, registry, workDir, log, leaseMs, transportOf = (transport: Transport) => transport } = deps;
  const ledger = postgresBuildLedger(db, { isThere: isStored(registry), log, ...(leaseMs && { leaseMs }) });
  const shared = { registry, ledger, workDir, log, ...(config.bases && { bases: config.bases }) };
  const tend = () => pruneBuildLeases(db, new Date(Date.now() - leasesKeptMs));
  const tending = (run: CronJob["run"]): CronJob => ({ name: "builders.tend", schedule: "* * * * *", run });
  if (config.kind === "buildkit") {
    const transport = transportOf(transportTo(config.endpoint));
    const builds = stack.use(remoteBuildService({ ...shared, pool: onePool(transport) }));
    const prune = () => pruneCache(transport, { keepBytes: config.cacheGb * 1e9 });
    return {
      builds,
      crons: [tending(tend), { name: "builders.prune", schedule: "23 * * * *", run: prune }],
    };
  }
  const { abandonedSeconds } = deps;
  const pool = stack.use(
    depotPool({
      ...config,
      log,
      ...(abandonedSeconds && { abandonedSeconds }),
      api: await depotApi(config),
      records: postgresDepotRecords(db, deps.box),
      transportOf: (endpoint) => transportOf(tlsTransport(endpoint)),
    }),
  );
  const builds = stack.use(remoteBuildService({ ...shared, pool }));
  return { builds, crons: [tending(async () => void (await Promise.all([tend(), pool.sweep()])))] };
}

function transportTo(endpoint: BuildKitEndpoint): Transport {
  if (endpoint.kind === "unix") return unixTransport(endpoint.path);
  if (endpoint.kind === "docker") return dockerTransport(endpoint.path);
  return endpoint.kind === "tls" ? tlsTransport(endpoint) : tcpTransport(endpoint.host, endpoint.port);
}
