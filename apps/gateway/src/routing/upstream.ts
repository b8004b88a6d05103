import type { GatewayUpstream } from "@starform/contract/gateway";

/** What an upstream needs to know of a connection it keeps; the proxy's connections have more. */
export type IdleConnection = { idleSinceMs: number; close(): void };

/** One instance of a service: its address, its open work, and the connections that wait for the next request. */
export type Upstream = {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Requests and tunnels that hold this instance; Shuttle ends it once there are none. */
  inflight: number;
  /** Sockets open to it for HTTP, idle ones included. */
  sockets: number;
  isRemoved: boolean;
  readonly idle: IdleConnection[];
  /** Requests that wait for a socket, first come first served. */
  readonly waiting: (() => void)[];
  closeIdle(): void;
};

export function openUpstream({ id, host, port }: GatewayUpstream): Upstream {
  const idle: IdleConnection[] = [];
  return {
    id,
    host,
    port,
    inflight: 0,
    sockets: 0,
    isRemoved: false,
    idle,
    waiting: [],
    closeIdle: () => {
      for (const connection of idle.splice(0)) connection.close();
    },
  };
}

/** The least busy upstream, in turn among equals; those already tried only when no other is left. */
export function pickUpstream(
  route: { readonly upstreams: readonly Upstream[]; turn: number },
  tried: readonly Upstream[],
): Upstream | undefined {
  const { upstreams } = route;
  let best: Upstream | undefined;
  for (let step = 0; step < upstreams.length; step++) {
    const candidate = upstreams[(route.turn + step) % upstreams.length];
    if (candidate && isBetter(candidate, best, tried)) best = candidate;
  }
  if (best && upstreams.length > 1) route.turn = (upstreams.indexOf(best) + 1) % upstreams.length;
  return best;
}

function isBetter(candidate: Upstream, best: Upstream | undefined, tried: readonly Upstream[]): boolean {
  if (best === undefined) return true;
  const [candidateTried, bestTried] = [tried.includes(candidate), tried.includes(best)];
  return candidateTried === bestTried ? candidate.inflight < best.inflight : bestTried;
}
