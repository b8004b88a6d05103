import { expect, test } from "vitest";
import { clusterManifests } from "../../src/adapters/kubernetes/manifests/cluster-manifests.ts";
import { minReadySeconds, preStopSeconds } from "../../src/adapters/kubernetes/manifests/drain.ts";
import { plain, production } from "./samples.ts";

const specOf = (kind: string, context = plain, lb_size_units = 1) =>
  clusterManifests({ lb_size_units }, context).find(({ manifest }) => manifest.kind === kind)?.manifest[
    "spec"
  ] as Record<string, never>;

test("the proxy's settings come before the Gateway, and its policies after it, all in one namespace", () => {
  expect(clusterManifests({ lb_size_units: 1 }, plain).map(({ ref }) => ref)).toEqual([
    "EnvoyProxy/envoy-gateway-system/starform",
    "Gateway/envoy-gateway-system/starform",
    "ClientTrafficPolicy/envoy-gateway-system/starform",
    "BackendTrafficPolicy/envoy-gateway-system/starform",
  ]);
});

test("the load balancer has the size that was decided", () => {
  expect(specOf("EnvoyProxy", production, 7)).toMatchObject({
    provider: {
      kubernetes: {
        envoyService: {
          annotations: {
            "service.beta.kubernetes.io/do-loadbalancer-size-unit": "7",
            "service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol": "true",
          },
        },
      },
    },
  });
});

test("both ends agree on PROXY protocol, whichever it is", () => {
  for (const [context, isSpoken] of [
    [plain, false],
    [production, true],
  ] as const) {
    expect(JSON.stringify(specOf("EnvoyProxy", context)).includes("proxy-protocol")).toBe(isSpoken);
    expect("proxyProtocol" in specOf("ClientTrafficPolicy", context)).toBe(isSpoken);
  }
});

test("the Gateway listens with the certificate where there is one, for routes of projects only", () => {
  const allowedRoutes = {
    namespaces: { from: "Selector", selector: { matchLabels: { "starform.io/namespace-role": "project" } } },
  };
  expect(specOf("Gateway", production)["listeners"]).toEqual([
    {
      name: "https",
      port: 443,
      protocol: "HTTPS",
      tls: { mode: "Terminate", certificateRefs: [{ name: "origin-certificate" }] },
      allowedRoutes,
    },
  ]);
  expect(specOf("Gateway", plain)["listeners"]).toEqual([
    { name: "http", port: 80, protocol: "HTTP", allowedRoutes },
  ]);
});

test("each policy hangs on the Gateway, the only target for which the API server takes both", () => {
  for (const kind of ["ClientTrafficPolicy", "BackendTrafficPolicy"])
    expect(specOf(kind)["targetRefs"]).toEqual([
      { group: "gateway.networking.k8s.io", kind: "Gateway", name: "starform" },
    ]);
});

test("only what an app has not received is sent again", () => {
  const { triggers } = (
    specOf("BackendTrafficPolicy")["retry"] as unknown as { retryOn: { triggers: string[] } }
  ).retryOn;
  expect(triggers.toSorted()).toEqual(["connect-failure", "refused-stream", "reset-before-request"]);
});

test("an app's own errors never put it aside, and a long answer is not cut", () => {
  expect(specOf("BackendTrafficPolicy")).toMatchObject({
    healthCheck: { passive: { consecutive5XxErrors: 0, consecutiveGatewayErrors: 0 } },
    timeout: { http: { requestTimeout: "0s" } },
  });
});

test("an old instance serves on until every proxy knows, has closed what is idle, and knows the new one", () => {
  const { timeout } = specOf("BackendTrafficPolicy") as unknown as {
    timeout: { http: { connectionIdleTimeout: string } };
  };
  const propagationSeconds = 5;
  const idleSeconds = Number.parseInt(timeout.http.connectionIdleTimeout, 10) / 1_000;
  expect(idleSeconds).toBeLessThan(2);
  expect(preStopSeconds).toBeGreaterThan(propagationSeconds + idleSeconds);
  expect(preStopSeconds + minReadySeconds).toBeLessThanOrEqual(15);
});
