/**
 * What Shuttle tells the embedded gateway over its admin API (loopback, bearer token): `PUT /routes` with the whole
 * table, `PUT /doors` before the first app of a network starts, `GET /upstreams/<id>` to see whether a removed upstream
 * has been drained.
 */
import { z } from "zod";

/** Where an app answers: one instance of a service. The id names the instance for ever, not its address. */
export const GatewayUpstream = z.strictObject({
  id: z.string().min(1).max(200),
  host: z.string().min(1).max(253),
  port: z.number().int().min(1).max(65_535),
});
export type GatewayUpstream = z.infer<typeof GatewayUpstream>;

/** Why a route without an upstream has none; with upstreams it is only told in the metrics. */
export const GatewayRouteState = z.enum(["serving", "deploying", "no_instance", "crashed", "stopped"]);
export type GatewayRouteState = z.infer<typeof GatewayRouteState>;

export const GatewayHostname = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    "a host name in lower case, without a port",
  );

/** Where the gateway listens inside a network of apps: this machine's address in it. */
export const GatewayDoor = z.strictObject({
  host: z.ipv4(),
  port: z.number().int().min(1).max(65_535),
  /** The network's addresses, as in 10.1.2.0/26: a connection from anywhere else is cut. */
  from: z.cidrv4(),
});
export type GatewayDoor = z.infer<typeof GatewayDoor>;

/** The answer to `PUT /doors`: why the gateway cannot listen there, if it cannot. */
export const GatewayDoorState = z.object({ isOpen: z.boolean(), reason: z.string().optional() });
export type GatewayDoorState = z.infer<typeof GatewayDoorState>;

export const GatewayRoute = z.strictObject({
  /** `<project_id 32 hex><service_id 32 hex>-<environment>`: the identity that metrics are found by. */
  name: z
    .string()
    .regex(
      /^[0-9a-f]{64}-[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/,
      "<project 32 hex><service 32 hex>-<environment>",
    ),
  namespace: z.string().min(1).max(63),
  hostnames: z.array(GatewayHostname),
  /** The name it has for its neighbours, at that door only. */
  inside: z.strictObject({ name: GatewayHostname, door: GatewayDoor }).optional(),
  upstreams: z.array(GatewayUpstream),
  state: GatewayRouteState,
  /** One sentence for the person who sees the error page: why the service does not answer. */
  reason: z.string().max(2_000).optional(),
  workspace_id: z.string(),
  project_id: z.string(),
  environment: z.string(),
  service_id: z.string(),
  service_name: z.string(),
  /** How often a refused connection is tried again, on another instance where there is one. Default 2. */
  retries: z.number().int().min(0).max(10).optional(),
  /** The longest wait for the first byte of an answer, from the end of the request. Default 60 s. */
  request_timeout_ms: z.number().int().min(1).max(86_400_000).optional(),
  /** The longest silence within an answer (default 5 min) or on a WebSocket (default 1 h). */
  idle_timeout_ms: z.number().int().min(1).max(86_400_000).optional(),
});
export type GatewayRoute = z.infer<typeof GatewayRoute>;

/** The whole table; a host name, and a name at a door, belongs to one route, an upstream id to one address. */
export const GatewayRoutes = z
  .strictObject({ version: z.number().int().min(0).optional(), routes: z.array(GatewayRoute).max(20_000) })
  .superRefine(({ routes }, context) => {
    const owners = new Map<string, string>();
    const addresses = new Map<string, string>();
    const names = new Set<string>();
    const refuse = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: "custom", path: ["routes", ...path], message });
    routes.forEach((route, at) => {
      if (names.has(route.name)) refuse([at, "name"], `route ${route.name} is listed twice`);
      names.add(route.name);
      route.hostnames.forEach((hostname, index) => {
        const owner = owners.get(hostname);
        if (owner !== undefined)
          refuse([at, "hostnames", index], `${hostname} belongs to route ${owner} already`);
        owners.set(hostname, route.name);
      });
      if (route.inside) {
        const { name, door } = route.inside;
        const place = `${name} at ${door.host}:${door.port}`;
        const owner = owners.get(place);
        if (owner !== undefined) refuse([at, "inside"], `${place} belongs to route ${owner} already`);
        owners.set(place, route.name);
      }
      route.upstreams.forEach(({ id, host, port }, index) => {
        const address = `${host}:${port}`;
        const known = addresses.get(id);
        if (known !== undefined && known !== address)
          refuse([at, "upstreams", index], `upstream ${id} has two addresses: ${known} and ${address}`);
        addresses.set(id, address);
      });
    });
  });
export type GatewayRoutes = z.infer<typeof GatewayRoutes>;

/** The answer to `PUT /routes`, given once the table is live. `persisted` is false if the state file could not be written. */
export const GatewayRoutesAccepted = z.object({
  version: z.number().int().optional(),
  routes: z.number().int(),
  hostnames: z.number().int(),
  upstreams: z.number().int(),
  persisted: z.boolean(),
});
export type GatewayRoutesAccepted = z.infer<typeof GatewayRoutesAccepted>;

/** The answer to `GET /upstreams/<id>`: `known` while it is in the live table; `inflight` counts requests and open WebSockets. */
export const GatewayUpstreamUse = z.object({
  id: z.string(),
  inflight: z.number().int(),
  known: z.boolean(),
});
export type GatewayUpstreamUse = z.infer<typeof GatewayUpstreamUse>;
