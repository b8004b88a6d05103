import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRegistryDoor } from "../src/cluster/registry-door.ts";
import { clusterChoice } from "../src/options/cluster-choice.ts";

const dir = mkdtempSync(join(tmpdir(), "starform-cluster-"));
const stack = new AsyncDisposableStack();
beforeAll(() => writeFileSync(join(dir, "kube.json"), "{}"));
afterAll(async () => {
  await stack.disposeAsync();
  rmSync(dir, { recursive: true, force: true });
});

/** A server that answers what it was asked for; its own words are by the name. */
async function anEcho(name: string, headers: Record<string, string> = {}): Promise<number> {
  const server = createServer((asked, answer) => {
    answer.writeHead(200, headers).end(`${name} ${asked.method} ${asked.headers.host} ${asked.url}`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => void (server.closeAllConnections(), server.close()));
  return (server.address() as AddressInfo).port;
}

async function ask(port: number, path: string, { method = "GET", host = "app.localhost" } = {}) {
  const sent = request({ host: "127.0.0.1", port, path, method, headers: { host }, agent: false }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const body = (await answer.toArray()).join("");
  return { status: answer.statusCode, body, headers: answer.headers };
}

test("a cluster is named by KUBECONFIG or a flag, and what is missing is told with the way to give it", () => {
  const env = { INIT_CWD: dir };
  const on = { cluster: "kubernetes" };
  expect(clusterChoice({}, { ...env, KUBECONFIG: "kube.json" })).toEqual({ kind: "embedded" });
  expect(clusterChoice(on, { ...env, KUBECONFIG: "kube.json" })).toEqual({
    kind: "kubernetes",
    kubeconfigFile: join(dir, "kube.json"),
    registry: { kind: "loopback" },
    gatewayAddress: undefined,
  });
  expect(
    clusterChoice(
      {
        ...on,
        kubeconfig: "kube.json",
        "registry-address": "10.0.0.5:5000",
        "gateway-address": "10.0.0.9:80",
      },
      env,
    ),
  ).toMatchObject({ registry: { kind: "address", address: "10.0.0.5:5000" }, gatewayAddress: "10.0.0.9:80" });
  const digitalOcean = { ...env, KUBECONFIG: "kube.json", DIGITALOCEAN_REGISTRY: "shop" };
  expect(clusterChoice(on, { ...digitalOcean, DIGITALOCEAN_TOKEN_FILE: "/run/token" })).toMatchObject({
    registry: { kind: "digitalocean", name: "shop", tokenFile: "/run/token" },
  });
  for (const [flags, given, words] of [
    [on, env, /set KUBECONFIG/],
    [{ ...on, kubeconfig: "none.json" }, env, /there is no none\.json/],
    [on, digitalOcean, /set DIGITALOCEAN_TOKEN_FILE/],
    [
      { ...on, kubeconfig: "kube.json", "registry-address": "10.0.0.5" },
      env,
      /written like 10\.0\.0\.5:5000/,
    ],
    [{ ...on, kubeconfig: "kube.json", "registry-pem": "a.pem" }, env, /give --registry-address too/],
    [{ cluster: "nomad" }, env, /choose embedded or kubernetes/],
    [{ kubeconfig: "kube.json" }, env, /of use with --cluster kubernetes only/],
  ] as const)
    expect(() => clusterChoice(flags, given)).toThrow(words);
});

test("nodes pull by the registry's door and do nothing else, and find its tokens beside it", async () => {
  const registryPort = await anEcho("registry", {
    "www-authenticate": 'Bearer realm="http://127.0.0.1:4401/registry/token",service="starform-registry"',
  });
  const apiPort = await anEcho("api");
  const address = "10.0.0.5:5000";
  const door = stack.use(
    await openRegistryDoor({ host: "127.0.0.1", port: 0, address, registryPort, apiPort }),
  );
  const pulled = await ask(door.port, "/v2/p/s/manifests/latest", { host: address });
  expect(pulled.body).toBe(`registry GET ${address} /v2/p/s/manifests/latest`);
  expect(pulled.headers["www-authenticate"]).toBe(
    `Bearer realm="http://${address}/registry/token",service="starform-registry"`,
  );
  expect((await ask(door.port, "/registry/token?scope=x")).body).toMatch(/^api GET/);
  const refused = [
    ["POST", "/v2/p/s/blobs/uploads/"],
    ["DELETE", "/v2/p/s/manifests/latest"],
    ["GET", "/v1/projects"],
    ["GET", "/registry/token/../../v1/me"],
  ] as const;
  for (const [method, path] of refused)
    expect({ path, status: (await ask(door.port, path, { method })).status }).toEqual({ path, status: 403 });
  // What looks like reading stays at the registry, whatever it makes of the path.
  expect((await ask(door.port, "/v2/../v1/projects")).body).toMatch(/^registry /);
});
