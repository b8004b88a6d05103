import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  openFakeKubernetesProcess,
  type FakeKubernetesProcess,
} from "@starform/testkit/kubernetes/open-fake-process";
import { openPlatform, runPlatformCommand, type Platform } from "@starform/testkit/platform";
import { openTerminal, type Terminal } from "@starform/testkit/terminal";
import { visit } from "@starform/testkit/visit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const image = `registry.example.com/web@sha256:${"a".repeat(64)}`;
const namespace = "proj-shop";

describe("npm start -- --cluster kubernetes", () => {
  const stack = new AsyncDisposableStack();
  let cluster: FakeKubernetesProcess;
  let platform: Platform;
  let person: Terminal;
  let kubeconfig = "";
  const start = (gateway: string, dataDir: string, ...flags: string[]) =>
    openPlatform({
      dataDir,
      env: { KUBECONFIG: kubeconfig },
      flags: ["--cluster", "kubernetes", "--gateway-address", gateway, ...flags],
    });
  const workloads = async () => ({
    deployments: (await cluster.list("apps/v1", "Deployment", namespace)).map(({ metadata }) => metadata.uid),
    pods: (await cluster.list("v1", "Pod", namespace)).map(({ metadata }) => metadata.uid),
  });

  beforeAll(async () => {
    cluster = stack.use(await openFakeKubernetesProcess());
    // Somebody with the platform's tools and no platform yet.
    person = stack.use(openTerminal({ apiUrl: "http://127.0.0.1:9", ownerToken: "sf_nobody" }));
    kubeconfig = join(person.folder("ops", { "kube.json": cluster.kubeconfig }), "kube.json");
  });
  afterAll(() => stack.disposeAsync());

  test("a cluster that lacks its parts, or that nobody named, is refused with the way to mend it", async () => {
    const dataDir = person.folder("data");
    const flags = ["--data-dir", dataDir, "--cluster", "kubernetes", "--detach", "--json"];
    await expect(runPlatformCommand("start", flags, { KUBECONFIG: "" })).rejects.toThrow(/set KUBECONFIG/);
    const bare = runPlatformCommand("start", flags, { KUBECONFIG: kubeconfig });
    await expect(bare).rejects.toThrow(/not ready for Shuttle[\s\S]*cluster bootstrap --without-shuttle/);
    const brought = await person.starform([
      "cluster",
      "bootstrap",
      "--without-shuttle",
      "--kubeconfig",
      kubeconfig,
    ]);
    expect(brought).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Shuttle, .*: left out, it runs elsewhere/),
    });
  });

  test("a prebuilt image becomes workload and route on it, and is deployed when its pod is ready", async () => {
    const gateway = stack.use(await openGateway());
    platform = stack.use(await start(gateway.address, person.folder("data")));
    expect(platform).toMatchObject({ runtime: "kubernetes", cluster: { registry: null } });
    const owner = stack.use(openTerminal(platform));
    // The pod's first seconds, so that a deployment is seen on its way.
    await cluster.script({ image }, { readyAfterMs: 2_000 });
    await owner.json(["projects", "create", "shop"]);
    await owner.json(["services", "create", "web", "--project", "shop", "--image", image]);
    const outcome = await owner.deploy(["redeploy", "--project", "shop", "--service", "web"]);
    expect(outcome).toMatchObject({ status: "deployed", imageDigest: `sha256:${"a".repeat(64)}` });
    const [deployment] = await cluster.list("apps/v1", "Deployment", namespace);
    expect(JSON.stringify(deployment)).toContain(image);
    const [route] = await cluster.list("gateway.networking.k8s.io/v1", "HTTPRoute", namespace);
    expect(route).toMatchObject({ spec: { hostnames: ["web-shop.localhost"] } });
    // Its address leads to the cluster's gateway, with the host that was asked for.
    expect(outcome.url).toBe(`http://web-shop.${platform.appsDomain}`);
    expect((await visit(outcome.url)).body).toBe(`web-shop.${platform.appsDomain}`);
  });

  test("a build without a way to the cluster fails and says why", async () => {
    const owner = stack.use(openTerminal(platform));
    const folder = owner.folder("site", { "index.html": "hi" });
    const ran = await owner.starform(["up", "--yes", "--json"], { cwd: folder });
    expect({ code: ran.code, said: ran.stdout + ran.stderr }).toEqual({
      code: 1,
      said: expect.stringContaining("nothing can be built on this installation: there is no Docker Engine"),
    });
  });

  test("stop leaves the cluster's workloads alone, and status says where they are", async () => {
    const status = JSON.parse(
      await runPlatformCommand("status", ["--json", "--data-dir", platform.dataDir]),
    ) as object;
    expect(status).toMatchObject({ runtime: "kubernetes", cluster: { kubeconfigFile: kubeconfig } });
    const before = await workloads();
    expect(before.pods).toHaveLength(1);
    await platform.stop();
    expect(await workloads()).toEqual(before);
  });

  test("a fresh start would forget whose the apps are, and one for this machine could not run them: both are refused", async () => {
    await expect(start("127.0.0.1:9", platform.dataDir, "--fresh")).rejects.toThrow(
      /apps of another Starform run on this cluster[\s\S]*without --fresh/,
    );
    await expect(openPlatform({ dataDir: platform.dataDir })).rejects.toThrow(/run on a Kubernetes cluster/);
  });
});

/** What stands before the apps of a cluster: it says which host it was asked for. */
async function openGateway(): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((asked, answer) => void answer.end(asked.headers.host)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
