import { GatewayRoute } from "@starform/contract/gateway";
import { canonicalJson } from "@starform/std/canonical-json";
import { wordsOf } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { doorbell } from "../../core/doorbell.ts";
import type { ServiceKey } from "../../core/service-key.ts";
import type { GatewayAdmin } from "./gateway-admin.ts";

export interface RoutePublisher extends AsyncDisposable {
  /** Changes the route of a service; `live` tells when the gateway has it. */
  set(key: ServiceKey, route: GatewayRoute | undefined): void;
  /** Resolves when everything set so far is live; rejects when the gateway could not be told within the time. */
  live(withinMs: number): Promise<void>;
  /** Begins to publish: what was found again at the start must all be in the first table. */
  open(): void;
}
type Options = {
  readonly warn: (sentence: string) => void;
  /** Repeats the table this often, for a gateway that lost it. */ readonly repeatMs?: number;
};

/** Keeps the gateway's table equal to the routes set here: one request at a time, each with all changes so far. */
export function routePublisher(
  gateway: Pick<GatewayAdmin, "putRoutes">,
  { warn, repeatMs = 30_000 }: Options,
): RoutePublisher {
  const routes = new Map<ServiceKey, GatewayRoute>();
  const ending = new AbortController();
  let [changes, published] = [0, -1];
  let isOpen = false;
  const bell = doorbell();
  const waiters = new Set<() => void>();

  const run = async (): Promise<void> => {
    for (let fails = 0; !ending.signal.aborted;) {
      if (!isOpen || changes <= published) {
        const hasRung = await bell.rings(isOpen ? repeatMs : 2 ** 30);
        if (!hasRung && isOpen) published = -1;
        continue;
      }
      const sending = changes;
      try {
        await gateway.putRoutes(
          { version: sending, routes: soundRoutes([...routes.values()], warn) },
          ending.signal,
        );
        published = sending;
        fails = 0;
        for (const waiter of waiters) waiter();
      } catch (error) {
        if (fails++ % 20 === 0 && !ending.signal.aborted)
          warn(`the gateway was not told of the routes, and serves by its last table: ${wordsOf(error)}`);
        await pause(Math.min(1_000, 50 * 2 ** Math.min(fails, 5)), ending.signal);
      }
    }
  };
  const running = run();

  return {
    set(key, route) {
      if (canonicalJson(routes.get(key)) === canonicalJson(route)) return;
      if (route) routes.set(key, route);
      else routes.delete(key);
      changes += 1;
      bell.ring();
    },
    live(withinMs) {
      const goal = changes;
      if (published >= goal) return Promise.resolve();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error("the gateway does not take the routes")), withinMs);
      const waiter = (): void => void (published >= goal && resolve());
      waiters.add(waiter);
      return promise.finally(() => {
        clearTimeout(timer);
        waiters.delete(waiter);
      });
    },
    open() {
      isOpen = true;
      bell.ring();
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      bell.ring();
      await running;
    },
  };
}

/** Two services of one name in one environment: the first has it. */
const withoutTwin =
  (owners: Map<string, string>, warn: (sentence: string) => void) =>
  (route: GatewayRoute): GatewayRoute => {
    if (!route.inside) return route;
    const { name, door } = route.inside;
    const place = `${name} at ${door.host}:${door.port}`;
    if (!owners.has(place)) {
      owners.set(place, route.name);
      return route;
    }
    warn(`the private address ${place} belongs to another service already, so ${route.name} does not get it`);
    const { inside: _, ...others } = route;
    return others;
  };

/** One bad route must not hold up the others: the gateway takes a table whole or not at all. */
function soundRoutes(routes: readonly GatewayRoute[], warn: (sentence: string) => void): GatewayRoute[] {
  const owners = new Map<string, string>();
  return routes.flatMap((route) => {
    const parsed = GatewayRoute.safeParse(route);
    if (!parsed.success) {
      warn(
        `${route.service_name} gets no route: ${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`,
      );
      return [];
    }
    const hostnames = route.hostnames.filter((host) => {
      const owner = owners.get(host);
      if (owner) warn(`${host} belongs to ${owner} already, so ${route.service_name} does not get it`);
      else owners.set(host, route.service_name);
      return !owner;
    });
    return [{ ...route, hostnames }].map(withoutTwin(owners, warn));
  });
}
