import { createServer } from "node:http";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import {
  accessLog,
  type AccessRecord,
  type Shipper,
  withoutQueryValues,
} from "../src/telemetry/access-log.ts";
import { aClient, aGateway, anApp, aRoute, at, get, host, routeName } from "./gateway-under-test.ts";

test("every request is counted under Envoy's names: how many, how they ended, how long, how many bytes", async () => {
  await using app = await anApp((request, response) =>
    response.writeHead(Number(request.url?.slice(1))).end("four"),
  );
  await using gateway = await aGateway();
  await gateway.route([at(app.port)]);
  using client = await aClient(gateway.port);
  for (const [index, status] of [200, 201, 302, 404, 503].entries()) {
    client.send(get(`/${status}`));
    await until(`answer ${index + 1}`, () => client.text().split("four").length === index + 2);
  }
  const label = `envoy_cluster_name="httproute/proj-shop/${routeName}/rule/0"`;
  const value = (text: string, series: string): number =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${series} `))
        ?.split(" ")
        .at(-1),
    );
  const text = await gateway.metrics();
  expect(value(text, `envoy_cluster_upstream_rq_total{${label}}`)).toBe(5);
  expect(
    [1, 2, 3, 4, 5].map((at) =>
      value(text, `envoy_cluster_upstream_rq_xx{${label},envoy_response_code_class="${at}"}`),
    ),
  ).toEqual([0, 2, 1, 1, 1]);
  expect(value(text, `envoy_cluster_upstream_rq_time_bucket{${label},le="+Inf"}`)).toBe(5);
  expect(value(text, `envoy_cluster_upstream_rq_time_count{${label}}`)).toBe(5);
  expect(value(text, `envoy_cluster_upstream_rq_time_sum{${label}}`)).toBeGreaterThan(0);
  expect(value(text, `envoy_cluster_upstream_cx_rx_bytes_total{${label}}`)).toBeGreaterThan(5 * 60);
  expect(value(text, `envoy_cluster_upstream_cx_tx_bytes_total{${label}}`)).toBeGreaterThan(5 * 60);
  expect(text).toMatch(/^# TYPE envoy_cluster_upstream_rq_time histogram$/m);
});

test("every request leaves an access record in the log store, without the values of its query", async () => {
  let rows = "";
  const store = createServer((request, response) => {
    request.on("data", (bytes: Buffer) => (rows += bytes)).on("end", () => response.end());
  });
  await new Promise<void>((resolve) => store.listen(0, "127.0.0.1", resolve));
  const { port } = store.address() as { port: number };
  try {
    await using app = await anApp((request, response) =>
      request.resume().on("end", () => response.end("four")),
    );
    await using gateway = await aGateway({}, `http://127.0.0.1:${port}`);
    await gateway.route([at(app.port, "instance-1")]);
    using client = await aClient(gateway.port);
    client.send(
      `POST /pay?token=hunter2&next=%2Fa HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\nUser-Agent: test/1\r\nX-Request-Id: r-1\r\n\r\nabc`,
    );
    await client.sees("four");
    await until("the record", () => rows.includes("/pay"));
    const row = JSON.parse(
      rows
        .trim()
        .split("\n")
        .find((line) => line.includes("/pay")) ?? "",
    ) as Record<string, unknown>;
    expect(row).toMatchObject({
      project_id: "p1",
      environment: "production",
      service_id: "s1",
      workspace_id: "w1",
      stream: "http",
      level: "info",
      instance_id: "instance-1",
    });
    expect(row["message"]).toMatch(/^POST \/pay\?token=\*&next=\* 200 [\d.]+ ms$/);
    expect(JSON.parse(String(row["attributes"]))).toMatchObject({
      method: "POST",
      path: "/pay?token=*&next=*",
      status: 200,
      request_bytes: 3,
      response_bytes: 4,
      request_id: "r-1",
      remote: "127.0.0.1",
      user_agent: "test/1",
      upstream: `127.0.0.1:${app.port}`,
      flags: "-",
    });
    expect(rows).not.toContain("hunter2");
  } finally {
    store.closeAllConnections();
    store.close();
  }
});

test("a flood is cut at 1,000 records a second, and a line says how many are missing", () => {
  const lines: Parameters<Shipper["ship"]>[0][] = [];
  let nowMs = 1_000_000;
  const log = accessLog({ ship: (line) => void lines.push(line) }, () => nowMs);
  const entry: AccessRecord = {
    route: aRoute([]),
    startedAtMs: nowMs,
    method: "GET",
    target: "/",
    status: 200,
    durationMs: 1.23,
    requestBytes: 0,
    responseBytes: 0,
    requestId: "r",
    remote: "",
    userAgent: "",
    upstreamId: "",
    upstream: "",
    flags: "-",
  };
  for (let count = 0; count < 1_250; count++) log.record(entry);
  expect(lines).toHaveLength(1_000);
  nowMs += 1_000;
  log.record(entry);
  expect(lines.slice(1_000).map(({ message }) => message)).toEqual([
    expect.stringContaining("250 requests"),
    "GET / 200 1.2 ms",
  ]);
});

test.each([
  ["/a/b", "/a/b"],
  ["/a?", "/a?*"],
  ["/a?secret", "/a?*"],
  ["/a?b=c&d=e=f&g", "/a?b=*&d=*&*"],
])("the query of %s is recorded as %s", (target, recorded) =>
  expect(withoutQueryValues(target)).toBe(recorded),
);
