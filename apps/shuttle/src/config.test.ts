import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readConfig, readOperatorConfig } from "./config.ts";

const dir = mkdtempSync(join(tmpdir(), "starform-config-"));
afterAll(() => rmSync(dir, { recursive: true }));
writeFileSync(join(dir, "token"), "one\n");
const env = {
  STARFORM_STARBASE_URL: "https://api.example.com",
  STARFORM_CLUSTER_ID: "5e771e10-0000-4000-8000-000000000000",
  STARFORM_REGION: "nyc3",
  STARFORM_AUTH_TOKEN_FILE: join(dir, "token"),
};

test("the four required settings are enough, and the rest is what the reference says", () => {
  const config = readConfig(env);
  expect(config.intervalsMs).toEqual({
    snapshot: 60_000,
    capacity: 60_000,
    reconcile: 30_000,
    status: 60_000,
  });
  expect(config.http).toEqual({ host: "0.0.0.0", port: 8080 });
  expect(config.logLevel).toBe("info");
  expect(
    readConfig({ ...env, STARFORM_METRICS_ADDR: "127.0.0.1:4404", STARFORM_RECONCILE_INTERVAL: "5s" }),
  ).toMatchObject({
    http: { host: "127.0.0.1", port: 4404 },
    intervalsMs: { reconcile: 5_000 },
  });
});

test("a renewed token is used without a restart", () => {
  const { starbase } = readConfig(env);
  expect(starbase.token()).toBe("one");
  writeFileSync(join(dir, "token"), "two\n");
  expect(starbase.token()).toBe("two");
});

test("lines go to the log store or to a region's door, whose token is renewed as Starbase's is", () => {
  const door = { STARFORM_LOGS_URL: "https://logs.example.com:6000" };
  expect(readConfig(env).logs).toBeUndefined();
  expect(() => readConfig({ ...env, ...door })).toThrow(/STARFORM_LOGS_TOKEN_FILE: needed/);
  const both = { ...env, ...door, STARFORM_LOGS_TOKEN: "t", STARFORM_TELEMETRY_URL: "http://127.0.0.1:1" };
  expect(() => readConfig(both)).toThrow(/lines go to one of them/);
  const { logs } = readConfig({ ...env, ...door, STARFORM_LOGS_TOKEN_FILE: join(dir, "logs-token") });
  const token = () => logs && "token" in logs && logs.token();
  expect(token, "it is not there yet").toThrow(/ENOENT/);
  writeFileSync(join(dir, "logs-token"), "one\n");
  expect([logs?.url, token()]).toEqual([door.STARFORM_LOGS_URL, "one"]);
  writeFileSync(join(dir, "logs-token"), "two\n");
  expect(token()).toBe("two");
});

test("a misspelt name stops the start, and so does a gateway without its token", () => {
  expect(() => readConfig({ ...env, STARFORM_REGOIN: "x" })).toThrow(
    /STARFORM_REGOIN.*did you mean STARFORM_REGION/,
  );
  expect(() => readConfig({ ...env, STARFORM_GATEWAY_ADMIN_URL: "http://127.0.0.1:1" })).toThrow(
    /GATEWAY_ADMIN_TOKEN_FILE/,
  );
  expect(() => readConfig({})).toThrow(/STARFORM_STARBASE_URL[\s\S]*STARFORM_CLUSTER_ID/);
});

test.each([
  ["soon", /STARFORM_SNAPSHOT_INTERVAL: "soon" is not a duration: write it like 30s/],
  ["0s", /STARFORM_SNAPSHOT_INTERVAL: .*write it like 30s/],
])("an interval of %s stops the start with its name", (interval, message) => {
  expect(() => readConfig({ ...env, STARFORM_SNAPSHOT_INTERVAL: interval })).toThrow(message);
});

test.each([
  [{}, "process"],
  [{ KUBECONFIG: "/home/ada/.kube/config" }, "kubernetes"],
  [{ KUBERNETES_SERVICE_HOST: "10.0.0.1" }, "kubernetes"],
  [{ KUBECONFIG: "/home/ada/.kube/config", STARFORM_RUNTIME: "docker" }, "docker"],
])("what an operator means with %j is the cluster of %s", (given, runtime) => {
  expect(readOperatorConfig(given).runtime).toBe(runtime);
});
