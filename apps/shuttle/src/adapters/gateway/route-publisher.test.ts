import { randomUUID } from "node:crypto";
import type { GatewayRoute, GatewayRoutes } from "@starform/contract/gateway";
import { routeName } from "@starform/contract/hosts";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { routePublisher } from "./route-publisher.ts";

function aRoute(host: string, own: Partial<GatewayRoute> = {}): GatewayRoute {
  const [project_id, service_id] = [randomUUID(), randomUUID()];
  return {
    name: routeName(project_id, service_id, "production"),
    namespace: "proj-shop",
    hostnames: [host],
    upstreams: [],
    state: "deploying",
    workspace_id: randomUUID(),
    project_id,
    environment: "production",
    service_id,
    service_name: host.split(".")[0]!,
    ...own,
  };
}
function aGateway() {
  const tables: GatewayRoutes[] = [];
  const state = { isAway: false };
  return {
    tables,
    state,
    admin: {
      putRoutes: async (table: GatewayRoutes) => {
        if (state.isAway) throw new Error("refused");
        tables.push(table);
      },
      inflight: async () => 0,
    },
  };
}
const hostsOf = (table: GatewayRoutes | undefined) => table?.routes.flatMap((route) => route.hostnames);

test("nothing is published before all that was found is in the table, and then it is one table", async () => {
  const gateway = aGateway();
  await using routes = routePublisher(gateway.admin, { warn: () => undefined });
  for (const name of ["a", "b"]) routes.set(name, aRoute(`${name}.localhost`));
  await expect(routes.live(50)).rejects.toThrow(/does not take/);
  expect(gateway.tables).toEqual([]);
  routes.open();
  await routes.live(5_000);
  expect(gateway.tables.map(hostsOf)).toEqual([["a.localhost", "b.localhost"]]);
});

test("a change is live once the gateway has it: not while it is away, and by itself when it is back", async () => {
  const gateway = aGateway();
  await using routes = routePublisher(gateway.admin, { warn: () => undefined });
  routes.open();
  await routes.live(5_000);
  gateway.state.isAway = true;
  routes.set("a", aRoute("a.localhost"));
  await expect(routes.live(100)).rejects.toThrow(/does not take/);
  gateway.state.isAway = false;
  await routes.live(10_000);
  expect(hostsOf(gateway.tables.at(-1))).toEqual(["a.localhost"]);
});

test("a route that the gateway would refuse holds up no other, and is told", async () => {
  const gateway = aGateway();
  const said: string[] = [];
  await using routes = routePublisher(gateway.admin, { warn: (sentence) => said.push(sentence) });
  routes.open();
  const inside = { name: "api", door: { host: "10.1.0.1", port: 8080, from: "10.1.0.1/24" } };
  routes.set("good", aRoute("good.localhost", { inside }));
  routes.set("twin", aRoute("twin.localhost", { name: `${"c".repeat(64)}-production`, inside }));
  routes.set("bad", aRoute("bad.localhost", { name: "not a name" }));
  routes.set("thief", aRoute("good.localhost", { service_name: "thief" }));
  await routes.live(5_000);
  expect(hostsOf(gateway.tables.at(-1))).toEqual(["good.localhost", "twin.localhost"]);
  expect(gateway.tables.at(-1)?.routes.map((route) => route.inside?.name)).toEqual([
    "api",
    undefined,
    undefined,
  ]);
  expect(said.join("\n")).toMatch(/bad gets no route[\s\S]*thief does not get it/);
});

test("the table is put again to a gateway that may have lost it", async () => {
  const gateway = aGateway();
  await using routes = routePublisher(gateway.admin, { warn: () => undefined, repeatMs: 20 });
  routes.set("a", aRoute("a.localhost"));
  routes.open();
  await until("it was put three times", () => gateway.tables.length >= 3);
});
