import {
  GatewayDoorState,
  GatewayRoutesAccepted,
  GatewayUpstreamUse,
  type GatewayDoor,
  type GatewayRoutes,
} from "@starform/contract/gateway";
import { Fault } from "@starform/std/fault";

/** The gateway's admin API, as far as Shuttle needs it. */
export interface GatewayAdmin {
  /** Puts the whole table; resolves when it is live. Rejects when the gateway is away or refuses it. */
  putRoutes(table: GatewayRoutes, signal: AbortSignal): Promise<void>;
  /** Lets it listen inside a network of apps; resolves to why it cannot. */
  openDoor(door: GatewayDoor): Promise<string | undefined>;
  /** Requests that the upstream still serves; 0 when the gateway does not know it. */
  inflight(upstreamId: string, signal: AbortSignal): Promise<number>;
}

export function httpGatewayAdmin({ url, token }: { url: string; token: string }): GatewayAdmin {
  const ask = async (method: string, path: string, signal: AbortSignal, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    const text = await response.text();
    if (!response.ok)
      throw new Fault(
        "unavailable",
        `the gateway answered ${response.status} to ${method} ${path}: ${text.slice(0, 500)}`,
      );
    return JSON.parse(text);
  };
  return {
    async putRoutes(table, signal) {
      GatewayRoutesAccepted.parse(await ask("PUT", "/routes", signal, table));
    },
    async openDoor(door) {
      const { isOpen, reason } = GatewayDoorState.parse(
        await ask("PUT", "/doors", new AbortController().signal, door),
      );
      return isOpen ? undefined : (reason ?? "it does not say why");
    },
    async inflight(upstreamId, signal) {
      return GatewayUpstreamUse.parse(
        await ask("GET", `/upstreams/${encodeURIComponent(upstreamId)}`, signal),
      ).inflight;
    },
  };
}

/** For a cluster without a gateway: every table is live at once. */
export const noGateway: GatewayAdmin = {
  putRoutes: async () => undefined,
  openDoor: async () => "there is no gateway",
  inflight: async () => 0,
};
