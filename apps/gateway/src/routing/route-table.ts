import type { GatewayDoor, GatewayRoute, GatewayRoutes } from "@starform/contract/gateway";
import { openUpstream, type Upstream } from "./upstream.ts";

/** A route as the proxy uses it: what Shuttle sent, with its upstreams as living objects. */
export type Route = {
  readonly spec: GatewayRoute;
  /** The name that its metrics carry, as Envoy would give it. */
  readonly cluster: string;
  readonly upstreams: readonly Upstream[];
  /** Where the round begins next time among equally busy upstreams. */
  turn: number;
};

export type RouteTable = {
  /** The route of a Host header, port and case ignored; at a door, of the names that lead on from there. */
  find(host: string, door?: string): Route | undefined;
  /** An upstream of the live table, or one that left it and still has work. */
  upstream(id: string): { readonly upstream: Upstream; readonly isLive: boolean } | undefined;
  /** Makes this table the live one at once. Upstreams that stay keep their connections; those that left get nothing new. */
  replace(routes: GatewayRoutes): void;
  readonly current: {
    readonly version: number | undefined;
    readonly routes: readonly Route[];
    readonly hostnames: number;
    readonly doors: readonly GatewayDoor[];
  };
  /** Every upstream there is, the leaving ones included: for the sweep. */
  upstreams(): Iterable<Upstream>;
};

/** A door as the table knows it. */
export const placeOf = ({ host, port }: Pick<GatewayDoor, "host" | "port">): string => `${host}:${port}`;

export function routeTable(): RouteTable {
  let byHost = new Map<string, Route>();
  let live = new Map<string, Upstream>();
  const leaving = new Map<string, Upstream>();
  let current: RouteTable["current"] = { version: undefined, routes: [], hostnames: 0, doors: [] };

  const keepOrOpen = (next: Map<string, Upstream>, spec: GatewayRoute["upstreams"][number]): Upstream => {
    const known = next.get(spec.id) ?? live.get(spec.id) ?? leaving.get(spec.id);
    const same = known && known.host === spec.host && known.port === spec.port ? known : openUpstream(spec);
    leaving.delete(spec.id);
    same.isRemoved = false;
    next.set(spec.id, same);
    return same;
  };

  const retire = (next: ReadonlyMap<string, Upstream>): void => {
    for (const [id, upstream] of live) {
      if (next.get(id) === upstream) continue;
      upstream.isRemoved = true;
      upstream.closeIdle();
      leaving.set(id, upstream);
    }
    for (const [id, upstream] of leaving) if (upstream.inflight === 0) leaving.delete(id);
  };

  return {
    find: (host, door) =>
      door === undefined
        ? (byHost.get(host) ?? byHost.get(hostnameOf(host)))
        : byHost.get(insideKey(hostnameOf(host), door)),

    upstream(id) {
      const found = live.get(id);
      if (found) return { upstream: found, isLive: true };
      const left = leaving.get(id);
      return left && { upstream: left, isLive: false };
    },

    replace({ version, routes }) {
      const nextLive = new Map<string, Upstream>();
      const nextByHost = new Map<string, Route>();
      const next = routes.map((spec): Route => {
        const upstreams = spec.upstreams.map((upstream) => keepOrOpen(nextLive, upstream));
        const route = {
          spec,
          cluster: `httproute/${spec.namespace}/${spec.name}/rule/0`,
          upstreams,
          turn: 0,
        };
        for (const hostname of spec.hostnames) nextByHost.set(hostname, route);
        if (spec.inside) nextByHost.set(insideKey(spec.inside.name, placeOf(spec.inside.door)), route);
        return route;
      });
      retire(nextLive);
      live = nextLive;
      byHost = nextByHost;
      const doors = routes.flatMap(({ inside }) => (inside ? [inside.door] : []));
      current = { version, routes: next, hostnames: nextByHost.size, doors };
    },

    get current() {
      return current;
    },

    *upstreams() {
      yield* live.values();
      yield* leaving.values();
    },
  };
}

/** No host name has a slash: nobody gets to an inner name from outside. */
const insideKey = (name: string, door: string): string => `${door}/${name}`;

/** `Web-Shop.localhost.:4402` → `web-shop.localhost`. */
export function hostnameOf(host: string): string {
  const colon = host.lastIndexOf(":");
  const name = (colon > host.lastIndexOf("]") ? host.slice(0, colon) : host).toLowerCase();
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
