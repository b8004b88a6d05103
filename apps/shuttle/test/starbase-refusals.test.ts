import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { httpStarbase } from "../src/adapters/starbase/http-starbase.ts";
import { shuttleMetrics } from "../src/core/metrics.ts";

test("a token that Starbase does not take is counted, an answer of any other kind is not", async () => {
  let status = 401;
  const server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/problem+json" });
    response.end(
      JSON.stringify({
        type: "/problems/x",
        title: "x",
        status,
        code: status === 401 ? "unauthenticated" : "invalid",
        detail: "no",
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const metrics = shuttleMetrics();
  const starbase = httpStarbase({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clusterId: "0198c0de-0000-7000-8000-0000000000c1",
    token: () => "old",
    timed: () => undefined,
    refused: () => metrics.count("starform_starbase_token_refused_total"),
  });
  const ask = () => starbase.fetchDesired(undefined, 0, AbortSignal.timeout(20_000));
  await expect(ask()).rejects.toMatchObject({ code: "unauthenticated" });
  status = 422;
  await expect(ask()).rejects.toMatchObject({ code: "invalid" });
  expect(metrics.text([])).toContain("starform_starbase_token_refused_total 1\n");
  server.close();
  server.closeAllConnections();
});

test("how full the cluster is is told once it is known", () => {
  const metrics = shuttleMetrics();
  expect(metrics.text([])).not.toContain("starform_cluster_pods");
  metrics.set("starform_cluster_pods", 801);
  expect(metrics.text([])).toContain("# TYPE starform_cluster_pods gauge\nstarform_cluster_pods 801\n");
});
