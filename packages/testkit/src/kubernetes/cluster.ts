import type { Tokens } from "./access/tokens.ts";
import type { Admission } from "./admission/admission.ts";
import type { Clock } from "./clock.ts";
import type { NodeBook } from "./controllers/node-book.ts";
import type { OwnerIndex } from "./controllers/owner-index.ts";
import type { KindContext } from "./kinds/kind.ts";
import type { Registry } from "./kinds/registry.ts";
import type { PodLogs } from "./kubelet/pod-logs.ts";
import type { MetricsBook } from "./metrics/metrics-book.ts";
import type { Store } from "./store/store.ts";

/** What every part of the server works on. */
export type Cluster = {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly context: KindContext;
  readonly uid: () => string;
  readonly admission: readonly Admission[];
  readonly tokens: Tokens;
  readonly owners: OwnerIndex;
  readonly nodes: NodeBook;
  readonly logs: PodLogs;
  readonly metrics: MetricsBook;
  /** Names of events by what they tell, so that the same is counted and not told again. */
  readonly events: Map<string, string>;
};
