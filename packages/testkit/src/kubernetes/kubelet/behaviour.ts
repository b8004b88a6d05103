import type { JsonObject } from "../model/json.ts";
import { matchesLabels } from "../model/label-selector.ts";
import type { Stored } from "../model/object.ts";

/** How a container ends by itself. */
export type Exit = {
  readonly code: number;
  /** After the start, in milliseconds; at once by default. */
  readonly afterMs?: number;
  /** What the runtime calls it; `Completed` or `Error` by the code, `OOMKilled` when memory ran out (code 137). */
  readonly reason?: string;
  readonly signal?: number;
  /** Only the first so many runs end so; later ones stay. */
  readonly times?: number;
};

/** What the containers of some pods do. Everything left out goes well and at once. */
export type PodBehaviour = {
  /** The registry's answer to a pull, such as `rpc error: code = NotFound … not found`. */
  readonly pullError?: string;
  readonly pullMs?: number;
  /** Why the kubelet does not make the container, such as `container has runAsNonRoot and image will run as root`. */
  readonly configError?: string;
  /** From the start until its probes pass. */
  readonly readyAfterMs?: number;
  /** A probe never passes, with this answer: the startup probe where there is one, or else the readiness probe. */
  readonly probeError?: string;
  /** Begins to fail its liveness probe that long after the start, with this answer. */
  readonly unhealthyAfterMs?: number;
  readonly exit?: Exit;
  /** What each run says. */
  readonly log?: readonly string[];
  /** How long it takes to end after it was told to; what takes longer than the time of grace is killed. */
  readonly stopMs?: number;
  readonly stopCode?: number;
};

/** Which containers are meant: all that is given must fit. */
export type PodMatch = {
  readonly namespace?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The container's image, whole or its end, like `web@sha256:…`. */
  readonly image?: string;
  readonly container?: string;
};

export const fits = (match: PodMatch, { metadata }: Stored, container: JsonObject): boolean =>
  (match.namespace === undefined || match.namespace === metadata.namespace) &&
  (match.name === undefined || match.name === metadata.name) &&
  (match.container === undefined || match.container === container["name"]) &&
  (match.image === undefined || String(container["image"]).endsWith(match.image)) &&
  matchesLabels(match.labels ?? {}, metadata.labels ?? {});

/** Scripts that tests write; the newest that fits holds. */
export type Scripts = {
  add(match: PodMatch, behaviour: PodBehaviour): () => void;
  of(pod: Stored, container: JsonObject): PodBehaviour;
  onChange(listener: () => void): void;
};

export function openScripts(): Scripts {
  let scripts: readonly { readonly match: PodMatch; readonly behaviour: PodBehaviour }[] = [];
  const listeners: (() => void)[] = [];
  const set = (next: typeof scripts): void => {
    scripts = next;
    for (const listener of listeners) listener();
  };
  return {
    add: (match, behaviour) => {
      const script = { match, behaviour };
      set([script, ...scripts]);
      return () => set(scripts.filter((one) => one !== script));
    },
    of: (pod, container) => scripts.find(({ match }) => fits(match, pod, container))?.behaviour ?? {},
    onChange: (listener) => void listeners.push(listener),
  };
}
