import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DesiredService, DesiredState } from "@starform/contract/clusters";
import { pause, until } from "@starform/std/retry";
import { openFakeStarbase } from "../apps/shuttle/test/fake-starbase.ts";
import { atMost, percentile, type Figure } from "./figure.ts";
import { allManifests } from "./shuttle/all-manifests.ts";
import { openBenchCluster, removeNamespaces, type BenchCluster } from "./shuttle/bench-cluster.ts";
import { kubectlApplyMs, kubectlRaw, kubectlVersion } from "./shuttle/kubectl.ts";
import { imageContext } from "../scripts/image-context.ts";
import { startShuttle, type ShuttleProcess } from "./shuttle/shuttle-process.ts";
import { deployedAnew, thousandServices } from "./shuttle/thousand-services.ts";

const count = Number(process.env["BENCH_SERVICES"] ?? 1_000);
const changes = 40;
/** A minute of them: what is done once a minute, and what is collected of their garbage, is theirs too. */
const ticks = { everyMs: 2_000, count: 30 };
const deployments = { apiVersion: "apps/v1", kind: "Deployment", resource: "deployments.apps" };
const pods = { apiVersion: "v1", kind: "Pod", resource: "pods" };
const routes = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  resource: "httproutes.gateway.networking.k8s.io",
};

/**
 * Shuttle itself, as it runs in a pod, between a Starbase and a cluster that are not its process; its peer is kubectl of
 * `BENCH_KUBECTL` or PATH. `BENCH_SERVICES=100` makes a quick trial of it. With `TEST_KUBECONFIG` both work on a real API
 * server without machines, in namespaces of this run, which are removed after; nodes stand in.
 */
export async function run(): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  await imageContext("shuttle", join(dir, "image"));
  const name = `bench-${Date.now().toString(36).slice(-6)}`;
  const kubectl = await kubectlVersion();
  if (!kubectl)
    console.error(
      "  the first apply is not compared, for there is no kubectl: put it on PATH, or say in BENCH_KUBECTL where it is",
    );
  const [peerMs, ownMs] = [[] as number[], [] as number[]];
  const peer = async () => {
    if (kubectl) peerMs.push(await kubectlMs(`${name}-k${peerMs.length}`));
  };
  const own = async () => {
    const applied = await firstApply(`${name}-s${ownMs.length}`, dir);
    ownMs.push(applied.ms);
    return applied;
  };
  const figures = async () => {
    await using applied = await own();
    return await figuresOf(applied);
  };
  await peer();
  if (process.env["TEST_KUBECONFIG"]) {
    // A server is the slower the more it has held, by some factor each time: what is measured stands between two of its peer.
    const rest = await figures();
    await peer();
    if (kubectl)
      console.error(
        `  kubectl took ${peerMs.map((ms) => Math.round(ms / 1_000)).join(" s before and ")} s after`,
      );
    return [...comparison(kubectl, ownMs[0]!, geometricMean(peerMs)), ...rest];
  }
  if (kubectl) await (await own())[Symbol.asyncDispose]();
  await peer();
  const rest = await figures();
  return [...comparison(kubectl, Math.min(...ownMs), Math.min(...peerMs)), ...rest];
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const comparison = (kubectl: string | undefined, ownMs: number, peerMs: number): Figure[] =>
  kubectl
    ? [atMost(`shuttle first apply over kubectl ${kubectl}`, ownMs / 1_000, "s", ownMs / peerMs, 1)]
    : [];

type FirstApply = AsyncDisposable & {
  readonly ms: number;
  readonly services: DesiredService[];
  readonly cluster: BenchCluster;
  readonly shuttle: ShuttleProcess;
  readonly publish: (version: number) => unknown;
  /** Lets the controllers of a fake cluster go on. */
  readonly resume: () => Promise<void>;
};

/** From the decision to the last Deployment, while nothing but the API server works; Shuttle was idle before. */
async function firstApply(name: string, dir: string): Promise<FirstApply> {
  await using stack = new AsyncDisposableStack();
  const services = thousandServices(count, name);
  const cluster = stack.use(await openBenchCluster((kubeconfig) => kubectlRaw(kubeconfig, "/metrics")));
  stack.defer(() => removeNamespaces(cluster, `proj-${name}-`));
  const starbase = stack.use(await openFakeStarbase("token"));
  const shuttle = stack.use(
    startShuttle(cluster, {
      starbaseUrl: starbase.url,
      reconcileEveryMs: ticks.everyMs,
      program: join(dir, "image/app/shuttle.mjs"),
      compileCache: join(dir, "compiled"),
    }),
  );
  const publish = (version: number, wanted = services): string => {
    const state: DesiredState = {
      cluster_id: shuttle.clusterId,
      version,
      cluster_config: { lb_size_units: 1 },
      services: wanted,
    };
    return starbase.publish(state);
  };
  const first = publish(0, []);
  await until("Shuttle waits for the next version", () => starbase.told.documents.includes(first), {
    withinMs: 60_000,
  });
  const resume = await cluster.pause();
  const beganMs = performance.now();
  publish(1);
  await cluster.grown(deployments, `proj-${name}-`, count);
  const ms = performance.now() - beganMs;
  const all = stack.move();
  return {
    ms,
    services,
    cluster,
    shuttle,
    publish,
    resume,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function figuresOf({ services, cluster, shuttle, publish, resume }: FirstApply): Promise<Figure[]> {
  const prefix = services[0]!.namespace.replace(/\d+$/, "");
  await resume();
  await cluster.grown(pods, prefix, count * 3);
  await cluster.grown(routes, prefix, count);
  await quiet(cluster);
  await idle(shuttle);
  const tick = await tickCost(shuttle, cluster);
  const memoryMib = shuttle.rssMib();
  const waits = await waitsOf(services, cluster, publish);
  const p95 = percentile(waits, 0.95);
  const writes = cluster.isFake ? "writes" : "applies";
  return [
    atMost("shuttle unchanged tick, CPU", tick.cpuMs, "ms", tick.cpuMs / 50, 1),
    atMost(`shuttle unchanged tick, ${writes}`, tick.writes, writes, tick.writes, 0),
    atMost("shuttle change to applied p95", p95, "ms", p95 / 1_000, 1),
    atMost(`shuttle memory, ${count * 3} pods`, memoryMib, "MiB RSS", memoryMib / 150, 1),
  ];
}

async function kubectlMs(name: string): Promise<number> {
  await using cluster = await openBenchCluster((kubeconfig) => kubectlRaw(kubeconfig, "/metrics"));
  await cluster.pause();
  const manifests = allManifests(thousandServices(count, name), crypto.randomUUID());
  try {
    return await kubectlApplyMs(cluster.kubeconfig, manifests);
  } finally {
    await removeNamespaces(cluster, `proj-${name}-`);
  }
}

/** Until nothing has been written for three ticks: pods run, routes are there. */
async function quiet(cluster: BenchCluster): Promise<void> {
  let [last, sinceMs] = [-1, performance.now()];
  await until(
    "nothing is written any more",
    async () => {
      const writes = await cluster.writes();
      if (writes !== last) [last, sinceMs] = [writes, performance.now()];
      return performance.now() - sinceMs > 3 * ticks.everyMs;
    },
    { withinMs: Math.max(count * 60, 60_000), everyMs: 500 },
  );
}

/** Until what followed the last write is over: reports are made, memory is given back. */
async function idle(shuttle: ShuttleProcess): Promise<void> {
  await until(
    "Shuttle works a quarter of the time at most",
    async () => {
      const beganMs = shuttle.cpuMs();
      await pause(ticks.everyMs);
      return shuttle.cpuMs() - beganMs < ticks.everyMs / 4;
    },
    { withinMs: Math.max(count * 60, 60_000) },
  );
  await pause(5 * ticks.everyMs);
}

/** Processor time of the whole process per tick, status reports and all. */
async function tickCost(
  shuttle: ShuttleProcess,
  cluster: BenchCluster,
): Promise<{ cpuMs: number; writes: number }> {
  const [cpuMs, writes] = [shuttle.cpuMs(), await cluster.writes()];
  await pause(ticks.everyMs * ticks.count);
  return { cpuMs: (shuttle.cpuMs() - cpuMs) / ticks.count, writes: (await cluster.writes()) - writes };
}

/** From the decision in Starbase, one change after the other, to the Deployment as the API server has it. */
async function waitsOf(
  services: DesiredService[],
  { api }: BenchCluster,
  publish: (version: number) => unknown,
): Promise<number[]> {
  const waits: number[] = [];
  for (let round = 0; round < changes; round++) {
    const at = (round * 37) % services.length;
    const next = deployedAnew(services[at]!, round);
    services[at] = next;
    const { resourceVersion } = await api.list(deployments, { namespace: next.namespace });
    const watching = new AbortController();
    const events = api.watch(deployments, { namespace: next.namespace, resourceVersion }, watching.signal);
    const beganMs = performance.now();
    publish(round + 2);
    for await (const { object } of events)
      if (object.metadata.annotations?.["starform.io/deployment-id"] === next.provenance.deployment_id) break;
    waits.push(performance.now() - beganMs);
    watching.abort();
  }
  return waits;
}
