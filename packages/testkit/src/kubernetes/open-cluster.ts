import { randomUUID } from "node:crypto";
import { openTokens } from "./access/tokens.ts";
import { admin, type User } from "./access/users.ts";
import { admissionChain } from "./admission/chain.ts";
import type { Clock } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import { openNodeBook } from "./controllers/node-book.ts";
import { openOwnerIndex } from "./controllers/owner-index.ts";
import type { KindContext } from "./kinds/kind.ts";
import { openRegistry } from "./kinds/registry.ts";
import { openPodLogs } from "./kubelet/pod-logs.ts";
import { openMetricsBook } from "./metrics/metrics-book.ts";
import { openStore } from "./store/store.ts";

export type ClusterOptions = {
  readonly clock: Clock;
  readonly tokens: Readonly<Record<string, User>>;
  readonly eventsKept: number;
  /** Names and addresses come from this; the same seed makes the same names. */
  readonly random: () => number;
};

/** An empty cluster: no objects, no controllers. */
export function openCluster({ clock, tokens, eventsKept, random }: ClusterOptions): Cluster {
  const store = openStore({ eventsKept, firstRevision: 1 });
  return {
    store,
    registry: openRegistry(),
    clock,
    uid: randomUUID,
    admission: admissionChain,
    tokens: openTokens(new Map(Object.entries({ admin, ...tokens })), { store, clock }),
    owners: openOwnerIndex(store),
    nodes: openNodeBook(store),
    logs: openPodLogs(clock),
    metrics: openMetricsBook(),
    events: new Map(),
    context: contextOf(clock, random),
  };
}

function contextOf(clock: Clock, random: () => number): KindContext {
  let addresses = 0;
  let ports = 0;
  return {
    now: () => clock.now(),
    random,
    allocateAddress: () => {
      addresses += 1;
      return `10.${96 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}`;
    },
    allocateNodePort: () => 30_000 + (ports++ % 2768),
  };
}
