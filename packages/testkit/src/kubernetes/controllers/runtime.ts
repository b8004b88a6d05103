import type { Cluster } from "../cluster.ts";
import { ApiError } from "../model/api-error.ts";
import { actorOf } from "./actor.ts";
import type { Controller, Reconciling } from "./controller.ts";

export type Runtime = AsyncDisposable & {
  /** Resolves when no controller has anything to do before the clock moves on. */
  settle(): Promise<void>;
  /** Stops the controllers named, or all; what happens meanwhile they see when they go on. */
  pause(...names: readonly string[]): () => void;
};

/** How long one turn may keep the process from answering requests. */
const sliceMs = 8;
/** A key that failed is looked at again after this, twice as long each time. */
const backoff = { firstMs: 50, longestMs: 60_000 } as const;

/** Runs controllers over the store's events: one queue per controller, each key in it once. */
export function runControllers(
  controllers: readonly Controller[],
  cluster: Cluster,
  writesAs: typeof actorOf = actorOf,
): Runtime {
  const queues = new Map(controllers.map((controller) => [controller, new Set<string>()]));
  const failures = new Map<string, number>();
  const paused = new Set<string>();
  const waiting: (() => void)[] = [];
  let isScheduled = false;
  let isStopped = false;

  const schedule = (): void => {
    if (isScheduled || isStopped) return;
    isScheduled = true;
    setImmediate(turn);
  };
  const add = (controller: Controller, key: string): void => {
    queues.get(controller)?.add(key);
    schedule();
  };
  const contexts = new Map(
    controllers.map((controller): readonly [Controller, Reconciling] => [
      controller,
      {
        cluster,
        actor: writesAs(cluster, controller.manager, controller.name),
        later: (key, ms) => void cluster.clock.after(ms, () => add(controller, key)),
        now: () => cluster.clock.now(),
      },
    ]),
  );

  const work = (controller: Controller, key: string): void => {
    const id = `${controller.name} ${key}`;
    try {
      controller.reconcile(key, contexts.get(controller) as Reconciling);
      failures.delete(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const count = failures.get(id) ?? 0;
      failures.set(id, count + 1);
      cluster.clock.after(Math.min(backoff.longestMs, backoff.firstMs * 2 ** count), () =>
        add(controller, key),
      );
    }
  };
  /** Controllers that stand first have all their work done first, so that later ones see the outcome once. */
  const first = (): readonly [Controller, string] | undefined => {
    if (isStopped) return undefined;
    for (const [controller, keys] of queues)
      for (const key of keys) if (!paused.has(controller.name)) return [controller, key];
    return undefined;
  };
  const isBusy = (): boolean => first() !== undefined;
  const turn = (): void => {
    isScheduled = false;
    const end = performance.now() + sliceMs;
    for (let next = first(); next && performance.now() < end; next = first()) {
      const [controller, key] = next;
      queues.get(controller)?.delete(key);
      work(controller, key);
    }
    if (isBusy()) schedule();
    else for (const resolve of waiting.splice(0)) resolve();
  };

  const stop = cluster.store.onLook((event) => {
    for (const controller of controllers)
      for (const key of controller.keysOf(event, cluster)) add(controller, key);
  });

  return {
    settle: async () => {
      if (isBusy()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    pause: (...names) => {
      const stopped = names.length > 0 ? names : controllers.map(({ name }) => name);
      for (const name of stopped) paused.add(name);
      return () => {
        for (const name of stopped) paused.delete(name);
        schedule();
      };
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      stop();
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
