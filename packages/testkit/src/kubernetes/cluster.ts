import type { Admission } from "./admission/admission.ts";
import type { Clock } from "./clock.ts";
import type { KindContext } from "./kinds/kind.ts";
import type { Registry } from "./kinds/registry.ts";
import type { Store } from "./store/store.ts";

/** What every part of the server works on. */
export type Cluster = {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly context: KindContext;
  readonly uid: () => string;
  readonly admission: readonly Admission[];
};
