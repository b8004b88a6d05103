import type { Cluster } from "../cluster.ts";
import type { Kind } from "../kinds/kind.ts";
import { finalize } from "./namespace-finalize.ts";
import type { Call } from "../verbs/call.ts";
import { token } from "./account-token.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";
import { binding, eviction } from "./pod-eviction.ts";
import { log } from "./pod-log.ts";
import { scale } from "./subresource-scale.ts";

export type Subresource = {
  readonly has: (kind: Kind) => boolean;
  readonly verbs: readonly string[];
  /** The kind that the subresource speaks, when it is not the resource's own. */
  readonly speaks?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly serve: (request: ApiRequest, call: Call, cluster: Cluster) => ApiResponse;
};

/** What hangs below an object besides its status. */
export const subresources: Readonly<Record<string, Subresource>> = {
  scale,
  log,
  eviction,
  binding,
  token,
  finalize,
};
