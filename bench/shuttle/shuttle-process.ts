import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchCluster } from "./bench-cluster.ts";
import { endChild } from "./end-child.ts";

export type ShuttleProcess = AsyncDisposable & {
  readonly clusterId: string;
  /** User and system time since its start, in ms. */
  cpuMs(): number;
  /** Resident memory, in MiB. */
  rssMib(): number;
};
type Options = {
  readonly starbaseUrl: string;
  readonly reconcileEveryMs: number;
  /** The program as its image holds it. */
  readonly program: string;
  /** Where Node keeps what it compiled: the second process that is given it starts as a pod's container does. */
  readonly compileCache: string;
};

/**
 * Shuttle as it runs in a pod: the program of its image, with the environment of deploy/cluster/shuttle. Of the fake cluster
 * it has a service account's token, of a real one the kubeconfig.
 */
export function startShuttle(
  cluster: BenchCluster,
  { starbaseUrl, reconcileEveryMs, program, compileCache }: Options,
): ShuttleProcess {
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  const file = (name: string, text: string | Buffer): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const clusterId = randomUUID();
  // Like --cpu-prof, to see what costs.
  const flags = (process.env["BENCH_NODE_FLAGS"] ?? "").split(" ").filter(Boolean);
  const child = spawn(process.execPath, [...flags, program], {
    stdio: ["ignore", process.env["SHUTTLE_LOG"] ? "inherit" : "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: compileCache,
      MALLOC_ARENA_MAX: "1",
      MALLOC_MMAP_THRESHOLD_: "131072",
      MALLOC_TRIM_THRESHOLD_: "131072",
      STARFORM_STARBASE_URL: starbaseUrl,
      STARFORM_CLUSTER_ID: clusterId,
      STARFORM_REGION: "bench",
      STARFORM_AUTH_TOKEN_FILE: file("starbase-token", "token"),
      STARFORM_METRICS_ADDR: "127.0.0.1:0",
      STARFORM_RUNTIME: "kubernetes",
      STARFORM_RECONCILE_INTERVAL: `${reconcileEveryMs}ms`,
      STARFORM_LEADER_ELECTION: "false",
      ...(cluster.isFake
        ? accountOf(cluster.kubeconfig, file)
        : { KUBECONFIG: file("kubeconfig", cluster.kubeconfig) }),
    },
  });
  const read = (name: string): string => readFileSync(`/proc/${child.pid}/${name}`, "utf8");
  return {
    clusterId,
    // The 14th and 15th field, in hundredths of a second.
    cpuMs() {
      const fields = read("stat")
        .replace(/^.*\) /, "")
        .split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    rssMib: () => Number(/^VmRSS:\s+(\d+) kB/m.exec(read("status"))?.[1]) / 1_024,
    async [Symbol.asyncDispose]() {
      await endChild(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** kubectl sends a token over TLS only, so both sides use it. */
function accountOf(kubeconfig: string, file: (name: string, text: string | Buffer) => string) {
  const { clusters } = JSON.parse(kubeconfig) as {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  };
  const { cluster } = clusters[0]!;
  file("ca.crt", Buffer.from(cluster["certificate-authority-data"], "base64"));
  return {
    STARFORM_SERVICE_ACCOUNT_DIR: join(file("token", "admin"), ".."),
    STARFORM_KUBE_API_URL: cluster.server,
  };
}
