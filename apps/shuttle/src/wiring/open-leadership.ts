import type { Config } from "../config.ts";
import { alone, type Leadership } from "../core/leadership.ts";

type Deps = { readonly warn: (sentence: string) => void; readonly standby: () => void };

/** On a machine there is one Shuttle; on Kubernetes there may be two, of which one leads. */
export function leadershipOf(_config: Config, _deps: Deps): Leadership {
  return alone;
}
