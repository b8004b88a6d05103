import { fork, spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DesiredService } from "@starform/contract/clusters";
import type { KindRef, KubeApi } from "@starform/kubernetes/kube-api";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { pause, until } from "@starform/std/retry";
import { plainContext } from "../apps/shuttle/src/adapters/kubernetes/manifests/context.ts";
import { projectManifests } from "../apps/shuttle/src/adapters/kubernetes/manifests/project-manifests.ts";
import { manifestsOf } from "../apps/shuttle/src/adapters/kubernetes/manifests/service-manifests.ts";
import { openFakeStarbase } from "../apps/shuttle/test/fake-starbase.ts";
import { atMost, percentile, type Figure } from "./figure.ts";
import { deployedAnew, thousandServices } from "./shuttle/thousand-services.ts";

const count = Number(process.env["BENCH_SERVICES"] ?? 1_000);
const changes = 40;
const ticks = { everyMs: 2_000, count: 10 };
const deployment = { apiVersion: "apps/v1", kind: "Deployment" };
const route = { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute" };

/** Shuttle itself, as it runs in a pod, between a Starbase and a cluster that are processes of their own. */
export async function run(): Promise<Figure[]> {
  const services = thousandServices(count);
  await using ours = await openCluster();
  await using starbase = await openFakeStarbase("token");
  await using shuttle = startShuttle(ours, starbase.url);
  const etag = starbase.publish({
    cluster_id: shuttle.clusterId,
    version: 0,
    cluster_config: { lb_size_units: 1 },
    services: [],
  });
  await until("Shuttle waits for the next version", () => starbase.told.documents.includes(etag), {
    withinMs: 60_000,
  });
  await ours.say("pause");
  const publish = (version: number) =>
    starbase.publish({
      cluster_id: shuttle.clusterId,
      version,
      cluster_config: { lb_size_units: 1 },
      services,
    });
  const beganMs = performance.now();
  publish(1);
  await objectsOf(ours.api, deployment, count);
  const appliedMs = performance.now() - beganMs;
  const peerMs = await kubectlMs(services, shuttle.clusterId);

  await ours.say("resume");
  await objectsOf(ours.api, route, count);
  await quiet(ours, count * 60);
  const cpuMs = await tickCpuMs(shuttle, ours);
  const memoryMib = rssMib(shuttle.pid);
  const waits = await waitsOf(services, ours.api, publish);
  return [
    atMost("shuttle first apply over kubectl apply", appliedMs / 1_000, "s", appliedMs / peerMs, 1),
    atMost("shuttle unchanged tick, CPU", cpuMs.cpu, "ms", cpuMs.cpu / 50, 1),
    atMost("shuttle unchanged tick, writes", cpuMs.writes, "writes", cpuMs.writes, 0),
    atMost(
      "shuttle change to applied p95",
      percentile(waits, 0.95),
      "ms",
      percentile(waits, 0.95) / 1_000,
      1,
    ),
    atMost("shuttle memory", memoryMib, "MiB RSS", memoryMib / 150, 1),
  ];
}

type BenchCluster = AsyncDisposable & {
  readonly url: string;
  readonly kubeconfig: string;
  readonly api: KubeApi;
  say(command: "pause" | "resume" | "count"): Promise<number>;
};

async function openCluster(): Promise<BenchCluster> {
  const child = fork(join(import.meta.dirname, "shuttle/fake-cluster.ts"), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ url, kubeconfig }] = (await once(child, "message")) as [{ url: string; kubeconfig: string }];
  const api = await openKubeApi({ kubeconfig });
  for (const name of ["starform-system", "envoy-gateway-system"])
    await api.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return {
    url,
    kubeconfig,
    api,
    async say(command) {
      child.send(command);
      const [answer] = (await once(child, "message")) as [{ writes: number }];
      return answer.writes;
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await end(child);
    },
  };
}

/** By the service account's token, as in a pod: a kubeconfig would load the client library. */
function startShuttle(cluster: BenchCluster, starbaseUrl: string) {
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  writeFileSync(join(dir, "token"), "admin");
  writeFileSync(join(dir, "ca.crt"), certificateOf(cluster.kubeconfig));
  writeFileSync(join(dir, "starbase-token"), "token");
  const clusterId = randomUUID();
  const child = spawn(process.execPath, [join(import.meta.dirname, "../apps/shuttle/bin/shuttle.ts")], {
    stdio: ["ignore", process.env["SHUTTLE_LOG"] ? "inherit" : "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      STARFORM_STARBASE_URL: starbaseUrl,
      STARFORM_CLUSTER_ID: clusterId,
      STARFORM_REGION: "bench",
      STARFORM_AUTH_TOKEN_FILE: join(dir, "starbase-token"),
      STARFORM_METRICS_ADDR: "127.0.0.1:0",
      STARFORM_RUNTIME: "kubernetes",
      STARFORM_SERVICE_ACCOUNT_DIR: dir,
      STARFORM_KUBE_API_URL: cluster.url,
      STARFORM_RECONCILE_INTERVAL: `${ticks.everyMs}ms`,
      STARFORM_LEADER_ELECTION: "false",
    },
  });
  return {
    clusterId,
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      await end(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** kubectl sends a token over TLS only, so both sides use it. */
function certificateOf(kubeconfig: string): Buffer {
  const { clusters } = JSON.parse(kubeconfig) as {
    clusters: { cluster: { "certificate-authority-data": string } }[];
  };
  return Buffer.from(clusters[0]!.cluster["certificate-authority-data"], "base64");
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await over;
  clearTimeout(timer);
}

const objectsOf = (api: KubeApi, kind: KindRef, wanted: number) =>
  until(
    `there are ${wanted} of ${kind.kind}`,
    async () => (await api.list(kind, { metadataOnly: true, trim: () => 1 })).items.length >= wanted,
    { withinMs: 900_000, everyMs: 250 },
  );

/** The same manifests, less those that wait for instances, by kubectl into another cluster of the same kind. */
async function kubectlMs(services: readonly DesiredService[], clusterId: string): Promise<number> {
  const context = plainContext(clusterId);
  const byProject = Map.groupBy(services, ({ namespace }) => namespace);
  const manifests = [
    ...[...byProject.values()].flatMap((each) => projectManifests(each, context)),
    ...services.flatMap((service) => manifestsOf(service, context)),
  ]
    .map(({ manifest }) => manifest)
    .filter(({ kind }) => kind !== "HTTPRoute");
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  try {
    await using peer = await openCluster();
    await peer.say("pause");
    writeFileSync(join(dir, "config"), peer.kubeconfig);
    writeFileSync(
      join(dir, "all.json"),
      JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }),
    );
    const args = [
      "apply",
      "--server-side",
      "--field-manager=shuttle",
      "--validate=false",
      "-f",
      join(dir, "all.json"),
    ];
    const beganMs = performance.now();
    const kubectl = spawn("kubectl", args, {
      env: { PATH: process.env["PATH"], HOME: dir, KUBECONFIG: join(dir, "config") },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code] = (await once(kubectl, "exit")) as [number | null];
    const tookMs = performance.now() - beganMs;
    if (code !== 0) throw new Error(`kubectl ended with ${code}`);
    await objectsOf(peer.api, deployment, services.length);
    return tookMs;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Until nothing has been written for three ticks: pods run, routes are there. */
async function quiet(cluster: BenchCluster, withinMs: number): Promise<void> {
  let [last, sinceMs] = [-1, performance.now()];
  await until(
    "nothing is written any more",
    async () => {
      const writes = await cluster.say("count");
      if (writes !== last) [last, sinceMs] = [writes, performance.now()];
      return performance.now() - sinceMs > 3 * ticks.everyMs;
    },
    { withinMs: Math.max(withinMs, 60_000), everyMs: 500 },
  );
}

/** Processor time of the whole process per tick, status reports and all. */
async function tickCpuMs(
  { pid }: { pid: number },
  cluster: BenchCluster,
): Promise<{ cpu: number; writes: number }> {
  const [cpu, writes] = [cpuMsOf(pid), await cluster.say("count")];
  await pause(ticks.everyMs * ticks.count);
  return { cpu: (cpuMsOf(pid) - cpu) / ticks.count, writes: (await cluster.say("count")) - writes };
}

/** From the decision in Starbase, one change after the other, to the Deployment as the API server has it. */
async function waitsOf(
  services: DesiredService[],
  api: KubeApi,
  publish: (version: number) => unknown,
): Promise<number[]> {
  const waits: number[] = [];
  for (let round = 0; round < changes; round++) {
    const at = (round * 37) % services.length;
    const next = deployedAnew(services[at]!, round);
    services[at] = next;
    const { resourceVersion } = await api.list(deployment, { namespace: next.namespace });
    const watching = new AbortController();
    const events = api.watch(deployment, { namespace: next.namespace, resourceVersion }, watching.signal);
    const beganMs = performance.now();
    publish(round + 2);
    for await (const { object } of events)
      if (object.metadata.annotations?.["starform.io/deployment-id"] === next.provenance.deployment_id) break;
    waits.push(performance.now() - beganMs);
    watching.abort();
  }
  return waits;
}

/** User and system time, in ms: the 14th and 15th field, in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
const rssMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1_024;
