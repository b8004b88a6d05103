import { join } from "node:path";
import type { Command } from "../supervisor/program.ts";
import { initCluster } from "./init.ts";
import { findNativePostgres } from "./native.ts";
import { clearPostmaster, isPostmasterReady } from "./postmaster.ts";
import { chooseRunAs } from "./run-as.ts";

export type ClusterOptions = {
  /** The folder of the whole platform; the cluster lies in `postgres/` below it. */
  readonly dataDir: string;
  readonly port: number;
  /** Undefined lets everybody on loopback in; only for tests. */
  readonly password?: string;
  /** Never waits for the disk: only for data nobody will miss. */
  readonly isThrowAway?: boolean;
};

export type PostgresCluster = {
  /** Connection string of the database `starform`. */
  readonly url: string;
  /** Makes the cluster if there is none and clears what an earlier server left. Run it before every start. */
  prepare(): Promise<void>;
  readonly command: Command;
  isReady(): boolean;
};

/** A PostgreSQL from npm on loopback only; nothing is started here, the caller runs `command`. */
export function postgresCluster(options: ClusterOptions): PostgresCluster {
  const { dataDir, port, password, isThrowAway = false } = options;
  const dir = join(dataDir, "postgres");
  const runAs = chooseRunAs(findNativePostgres(), dataDir);
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    max_connections: "200",
    shared_buffers: "64MB",
    log_min_messages: "warning",
    log_timezone: "UTC",
    timezone: "UTC",
    ...(isThrowAway
      ? { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_wal_size: "4GB" }
      : {}),
  };
  return {
    url: `postgresql://starform${password ? `:${password}` : ""}@127.0.0.1:${port}/starform`,
    async prepare() {
      await initCluster(runAs, dir, password, { isThrowAway });
      await clearPostmaster(dir);
    },
    command: {
      prefix: runAs.prefix,
      file: join(runAs.bin, "postgres"),
      args: ["-D", dir, ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`])],
      env: { LC_ALL: "C" },
      ...(runAs.uid === undefined || runAs.gid === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
    },
    isReady: () => isPostmasterReady(dir),
  };
}
