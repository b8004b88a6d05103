import { join } from "node:path";
import type { DesiredService } from "@starform/contract/clusters";
import type { Cluster, PodUsage } from "../../core/cluster.ts";
import type { ServiceKey } from "../../core/service-key.ts";
import { keyOf } from "../../core/service-key.ts";
import type { GatewayAdmin } from "../gateway/gateway-admin.ts";
import { routePublisher } from "../gateway/route-publisher.ts";
import type { LogSink } from "../log-sink.ts";
import { cronBooks } from "./cron-book.ts";
import { cronController } from "./cron-controller.ts";
import type { Engine, Instance } from "./engine.ts";
import { isOurs, keyOfLabels, label, podOf } from "./labels.ts";
import { localTimings, type LocalTimings } from "./local-timings.ts";
import { serviceController, type ControllerDeps } from "./service-controller.ts";
import { serviceMemories } from "./service-memory.ts";
import type { Warn } from "../../core/warn.ts";

export type LocalClusterOptions = {
  readonly engine: Engine;
  readonly gateway: GatewayAdmin;
  readonly sink: LogSink;
  readonly clusterId: string;
  /** Shuttle's own directory. */
  readonly dir: string;
  readonly timings?: Partial<LocalTimings>;
  readonly warn: Warn;
  /** What becomes of the apps when this cluster is closed: they end gracefully, or run on without Shuttle. */
  readonly onClose: "stop" | "leave";
};
type Controller = Pick<
  ReturnType<typeof serviceController>,
  "apply" | "watch" | "report" | "ended" | "remove" | "leave"
> & { platformEnds?(): Promise<void> };

/** The longest that closing waits for an app to end by itself. */
const closeDrainMs = 8_000;

const kindOf = ({ service_type }: DesiredService) =>
  service_type === "cron" ? ("cron" as const) : ("steady" as const);

/** A cluster of one machine, over any engine that can run single instances. */
export async function openLocalCluster(options: LocalClusterOptions): Promise<Cluster> {
  const { engine, clusterId, dir, warn } = options;
  const memories = serviceMemories(join(dir, "services"));
  const changeListeners = new Set<(key: ServiceKey) => void>();
  const changed = (key: ServiceKey): void => changeListeners.forEach((listener) => listener(key));
  const books = cronBooks(join(dir, "crons"), changed);
  const routes = routePublisher(options.gateway, { warn });
  const deps: ControllerDeps = {
    engine,
    routes,
    gateway: options.gateway,
    clusterId,
    memories,
    warn,
    sink: options.sink,
    outputDir: join(dir, "output"),
    timings: { ...localTimings, ...options.timings },
  };
  const controllers = new Map<ServiceKey, { kind: "cron" | "steady"; controller: Controller }>();
  const ours = async (): Promise<Instance[]> =>
    (await engine.list()).filter((instance) => isOurs(instance.labels, clusterId));

  const found = Map.groupBy(await ours(), (instance) => keyOfLabels(instance.labels));
  const remembered = new Map(memories.all().map((memory) => [memory.key, memory]));
  const open = (key: ServiceKey, kind: "cron" | "steady") => {
    const instances = found.get(key) ?? [];
    found.delete(key);
    const memory = remembered.get(key) ?? memories.fresh(key);
    if (!remembered.has(key)) memories.save(memory);
    remembered.set(key, memory);
    const lookAgain = (): void => changed(key);
    const controller: Controller =
      kind === "cron"
        ? cronController(deps, books.open(key), instances, lookAgain)
        : serviceController(deps, memory, instances, lookAgain);
    controllers.set(key, { kind, controller });
    return controller;
  };
  for (const key of [...found.keys(), ...remembered.keys()]) {
    if (controllers.has(key) || !remembered.has(key)) continue;
    const isCron =
      remembered.get(key)?.good?.service.service_type === "cron" ||
      found.get(key)?.some((instance) => label(instance.labels, "run-id") !== "");
    if (!isCron) open(key, "steady");
  }
  for (const key of found.keys())
    warn(
      `instances of ${key} run here without being in the inventory: they are left alone until desired state names them`,
      key,
    );
  routes.open();
  const watching = engine.watch((id) => {
    for (const { controller } of controllers.values()) if (controller.ended(id)) return;
  });

  const controllerOf = async (service: DesiredService): Promise<Controller> => {
    const [key, kind] = [keyOf(service), kindOf(service)];
    const known = controllers.get(key);
    if (known?.kind === kind) return known.controller;
    await known?.controller.remove();
    return open(key, kind);
  };
  const running = async () => (await ours()).filter((instance) => !instance.exit);

  return {
    runtime: engine.runtime,
    kubernetesVersion: null,
    capabilities: ["web", "worker", "cron", ...engine.capabilities],
    apply: async (service, version) => (await controllerOf(service)).apply(service, version),
    watch: (service, version) => {
      const [key, kind] = [keyOf(service), kindOf(service)];
      const known = controllers.get(key);
      // Of what kind it was is remembered with what was well, which a cron's memory never holds.
      const isIt = known !== undefined && (known.kind === kind || known.controller.report() !== undefined);
      return (isIt ? known.controller : open(key, kind)).watch(service, version);
    },
    async remove(key) {
      const known =
        controllers.get(key)?.controller ?? (remembered.has(key) ? open(key, "steady") : undefined);
      await known?.remove();
      controllers.delete(key);
      remembered.delete(key);
      memories.forget(key);
      books.close(key);
      return undefined;
    },
    observe: (key) => controllers.get(key)?.controller.report(),
    async inventory() {
      return [...remembered.keys()];
    },
    runningPods: async () => (await running()).map(podOf),
    async usage() {
      const [usage, instances] = await Promise.all([engine.usage(), running()]);
      return instances.flatMap((instance): PodUsage[] => {
        const used = usage.get(instance.id);
        return used ? [{ ...podOf(instance), ...used }] : [];
      });
    },
    async capacity() {
      const pods = (await running()).map(podOf);
      const sum = (of: (pod: (typeof pods)[number]) => number) =>
        pods.reduce((total, pod) => total + of(pod), 0);
      return {
        podCount: pods.length,
        nodes: 1,
        cpuAllocatableMillis: engine.machine.cpuMillis,
        memoryAllocatableBytes: engine.machine.memoryBytes,
        cpuRequestedMillis: sum((pod) => pod.cpuRequestMillis),
        memoryRequestedBytes: sum((pod) => pod.memoryRequestBytes),
      };
    },
    cronRuns: () => books.pending(),
    cronRunsTaken: async (runs) => books.taken(runs),
    onChange(listener) {
      changeListeners.add(listener);
      return { [Symbol.dispose]: () => void changeListeners.delete(listener) };
    },
    async [Symbol.asyncDispose]() {
      watching[Symbol.dispose]();
      changeListeners.clear();
      const everyone = [...controllers.values()];
      await routes[Symbol.asyncDispose]();
      if (options.onClose === "stop")
        await Promise.all(everyone.map(({ controller }) => controller.platformEnds?.()));
      if (options.onClose === "stop")
        await Promise.all((await running()).map((instance) => engine.stop(instance.id, closeDrainMs)));
      await Promise.all(
        everyone.map(({ controller }) => controller.leave(options.onClose === "stop" ? 2_000 : 0)),
      );
      if (options.onClose === "stop") for (const instance of await ours()) await engine.remove(instance.id);
      await engine[Symbol.asyncDispose]();
    },
  };
}
