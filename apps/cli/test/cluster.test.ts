import { readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  createCluster,
  listClusters,
  rotateClusterToken,
  type ClusterRecord,
} from "@starform/contract/cluster-records";
import { getDesiredState } from "@starform/contract/clusters";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRig, type Rig } from "../../../packages/cluster-parts/test/installed.ts";
import { fakePlatform, on, type FakePlatform } from "./fake-platform.ts";
import { aFolder, starform, type Ran } from "./run-starform.ts";

const token = "sfc_made-by-the-platform-0001";
const cluster: ClusterRecord = {
  id: "0198c0de-0000-7000-8000-0000000000c1",
  region: "nyc3",
  runtime: "kubernetes",
  shuttleVersion: "0.1.0",
  kubernetesVersion: "v1.36.2",
  desiredVersion: 3,
  projects: 2,
  pods: 12,
  podsSoftLimit: 1_000,
  lastSeenAt: "2026-11-29T11:59:30Z",
  createdAt: "2026-11-01T12:00:00Z",
};
const credentials = { cluster, token, signingKeys: "k1:AAAA\nk2:BBBB" };
const handlers = {
  ...on(listClusters, () => ({ items: [cluster] })),
  ...on(createCluster, () => credentials),
  ...on(rotateClusterToken, () => credentials),
  ...on(getDesiredState, () => ({
    cluster_id: cluster.id,
    version: 3,
    cluster_config: { lb_size_units: 1 },
    services: [],
  })),
};

describe("the records of clusters", () => {
  let platform: FakePlatform;
  beforeAll(async () => {
    platform = await fakePlatform(handlers);
  });
  afterAll(() => platform[Symbol.asyncDispose]());
  const run = (words: readonly string[], cwd: string, answers?: string[]) =>
    starform(words, {
      cwd,
      env: { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token },
      ...(answers ? { answers } : {}),
    });

  test("are listed with when they were last heard of", async () => {
    using folder = await aFolder("app");
    const { stdout, code } = await run(["clusters"], folder.path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/CLUSTER +REGION.*\n0198c0de.* nyc3 .*12\/1000 +2 +30 s ago/);
    expect(JSON.parse((await run(["clusters", "--json"], folder.path)).stdout)).toEqual([cluster]);
  });

  test("give a token to standard output alone, or to a file that only its owner reads", async () => {
    using folder = await aFolder("app");
    const made = await run(["clusters", "create", "--region", "nyc3"], folder.path);
    expect(made.stdout).toBe(`${token}\n`);
    const written = await run(
      ["clusters", "create", "--region", "nyc3", "--token-file", "t.txt"],
      folder.path,
    );
    expect(written.stdout + written.stderr).not.toContain(token);
    expect(readFileSync(join(folder.path, "t.txt"), "utf8")).toBe(`${token}\n`);
    expect(statSync(join(folder.path, "t.txt")).mode & 0o777).toBe(0o600);
    expect((await run(["clusters", "create"], folder.path)).code).toBe(2);
  });

  test("rotate no token where it could not be kept, or nobody agreed", async () => {
    using folder = await aFolder("app", { "t.txt": "the old one" });
    const rotations = () => platform.calls.filter(({ id }) => id === rotateClusterToken.id).length;
    const words = ["clusters", "rotate-token", cluster.id];
    expect((await run([...words, "--yes", "--token-file", "t.txt"], folder.path)).code).toBe(2);
    expect((await run(words, folder.path, ["n"])).code).toBe(1);
    expect(rotations()).toBe(0);
    expect(readFileSync(join(folder.path, "t.txt"), "utf8")).toBe("the old one");
    expect((await run([...words, "--token-file", "new.txt"], folder.path, ["y"])).code).toBe(0);
    expect(rotations()).toBe(1);
  });
});

describe("a Kubernetes cluster", () => {
  let rig: Rig;
  let platform: FakePlatform;
  let kubeconfig = "";
  let folder: Awaited<ReturnType<typeof aFolder>>;
  const ending = new AbortController();
  let ticking: Promise<void>;
  beforeAll(async () => {
    rig = await openRig();
    platform = await fakePlatform(handlers, token);
    folder = await aFolder("ops", { "kube.json": rig.fake.kubeconfig() });
    kubeconfig = join(folder.path, "kube.json");
    // The cluster's time goes on by itself, as it does where nobody holds its clock.
    const tick = async () => {
      while (!ending.signal.aborted) {
        await rig.patience.pause();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    ticking = tick();
  });
  afterAll(async () => {
    ending.abort();
    await ticking;
    await platform[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  const run = (words: readonly string[], answers?: string[]): Promise<Ran> =>
    starform(["cluster", ...words, "--kubeconfig", kubeconfig], {
      cwd: folder.path,
      env: { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token },
      ...(answers ? { answers } : {}),
    });
  const lines = ({ stdout }: Ran) => stdout.trim().split("\n");

  test("gets its record from Starbase, and everything it needs, with progress", async () => {
    const ran = await run(["bootstrap", "--region", "nyc3"]);
    expect(ran.stderr).toContain("this machine's own address");
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain(`✓ made cluster ${cluster.id} in nyc3`);
    expect(ran.stdout).toMatch(/✓ Envoy Gateway \(\d+ changed\)/);
    expect(ran.stdout).toContain("– vmagent: left out");
    expect(lines(ran).at(-1)).toMatch(/is ready: \d+ objects were made or changed/);
    expect(ran.stdout + ran.stderr).not.toContain(token);
    const shuttle = JSON.stringify(
      rig.fake.client.get({
        apiVersion: "apps/v1",
        kind: "Deployment",
        namespace: "starform-system",
        name: "shuttle",
      }),
    );
    expect(shuttle).toContain('"k1:AAAA,k2:BBBB"');
    expect(shuttle).toContain(platform.url);
  });

  test("is left as it is by a repeat, which needs no flags and no Starbase", async () => {
    platform.calls.length = 0;
    const ran = await run(["bootstrap", "--json"]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(lines(ran).at(-1) ?? "")).toEqual({
      clusterId: cluster.id,
      region: "nyc3",
      changed: 0,
    });
    expect(platform.calls).toEqual([]);
  });

  test("is examined, with the way to mend what is wrong", async () => {
    const ran = await run(["doctor"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain(`✓ starbase: Starbase takes the token of cluster ${cluster.id}`);
    expect(ran.stdout).toMatch(
      /! parts: Fluent Bit and node-exporter: not here\n {2}→ bootstrap with --region-file/,
    );
    await rig.kube.delete({
      apiVersion: "v1",
      kind: "Service",
      namespace: "starform-system",
      name: "kube-state-metrics",
    });
    const broken = await run(["doctor", "--json"]);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject({ errors: 1 });
    expect((await run(["bootstrap"])).code).toBe(0);
  });

  test("takes the addresses of its region out of a file, and tells what is wrong in it without its secrets", async () => {
    using own = await aFolder("region", {
      "bad.json": JSON.stringify({
        endpoints: { logs: { url: "https://logs.example", token: "has a space in it" } },
      }),
      "good.json": JSON.stringify({
        endpoints: {
          logs: { url: "https://logs.example:6000", token: "logs-token-1" },
          metrics: { url: "https://metrics.example/api/v1/write", token: "metrics-token-1" },
        },
        settings: {
          usesProxyProtocol: true,
          trustedHops: 1,
          tlsSecret: "origin-certificate",
          managedDataCidrs: ["10.10.0.0/20"],
          clusterCidrs: ["10.64.0.0/18", "10.65.0.0/22"],
          imagePullSecrets: ["registry"],
          storageClass: "fast",
          softLimit: 500,
        },
      }),
    });
    const bad = await run(["bootstrap", "--region-file", join(own.path, "bad.json")]);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain("endpoints.logs.token");
    expect(bad.stderr).not.toContain("has a space");
    const good = await run(["bootstrap", "--region-file", join(own.path, "good.json")]);
    expect(good.stdout).toMatch(/✓ vmagent \(\d+ changed\)/);
    expect(good.code).toBe(0);
    // A repeat without the file changes none of it: not the certificate above all.
    const again = await run(["bootstrap", "--json"]);
    expect(JSON.parse(lines(again).at(-1) ?? "")).toMatchObject({ changed: 0 });
  });

  test("is asked about before it is taken away, and is taken away whole", async () => {
    const refused = await run(["remove"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--yes");
    expect((await run(["remove"], ["n"])).code).toBe(1);
    const ran = await run(["remove", "--yes"]);
    expect(ran.code).toBe(0);
    expect(lines(ran).at(-1)).toBe("Starform is gone from this cluster");
    const spaces = rig.fake.client.list("v1", "Namespace").map(({ metadata }) => metadata.name);
    expect(spaces.filter((name) => /starform|envoy/.test(name))).toEqual([]);
  });

  test("that is named wrongly is told in a sentence", async () => {
    const none = await starform(["cluster", "doctor", "--kubeconfig", "nowhere"], { cwd: folder.path });
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("name the cluster's kubeconfig with --kubeconfig");
    const lost = await run([
      "bootstrap",
      "--cluster-id",
      "0198c0de-0000-7000-8000-0000000000c9",
      "--region",
      "nyc3",
    ]);
    expect(lost.code).toBe(2);
    expect(lost.stderr).toContain("rotate-token");
  });

  test("is looked for in all files of KUBECONFIG, as kubectl does it", async () => {
    const env = { KUBECONFIG: ["nowhere", kubeconfig].join(delimiter) };
    const ran = await starform(["cluster", "doctor"], { cwd: folder.path, env });
    expect(ran.stdout).toContain("nothing of Starform is here");
  });

  test("that does not answer, or does not know us, is told in a sentence with what to do", async () => {
    const own = JSON.parse(rig.fake.kubeconfig()) as {
      clusters: { cluster: { server: string } }[];
      users: { user: { token?: string } }[];
    };
    const [{ cluster: place }, { user }] = [own.clusters[0]!, own.users[0]!];
    const doctor = async (...words: string[]) => {
      using files = await aFolder("kube", { "own.json": JSON.stringify(own) });
      const all = ["cluster", "doctor", "--kubeconfig", "own.json", ...words];
      const ran = await starform(all, { cwd: files.path });
      expect(ran.code).toBe(1);
      expect(ran.stderr).not.toMatch(/unforeseen|\n +at /);
      return ran.stderr;
    };
    expect(await doctor("--context", "other")).toMatch(/has no cluster for its context "other".*it has fake/);
    user.token = "nobodys";
    expect(await doctor()).toMatch(/get them anew where the kubeconfig is from/);
    place.server = "http://127.0.0.1:1";
    expect(await doctor()).toMatch(/cannot be reached: .*\n {2}is the cluster up/);
  });

  test.each([
    [
      ["--region", "nyc3", "--starbase-url", "starbase.example.com"],
      /the flags cannot be used:\n {2}starbaseUrl: /,
    ],
    [["--region", "New York"], /region: a region is written like nyc3/],
    [
      ["--region", "nyc3", "--image", "shutle=registry.example/shuttle:1"],
      /there is no part shutle, there are .*shuttle/,
    ],
    [
      ["--cluster-id", cluster.id, "--region", "nyc3", "--token-file", "nowhere.txt"],
      /--token-file cannot be read: .*nowhere\.txt/,
    ],
    [["--timeout", "soon"], /"soon" is not a duration: write it like 30s/],
  ])("with wrong flags is told which, before anything is made: %j", async (words, message) => {
    platform.calls.length = 0;
    rig.fake.requests.clear();
    const ran = await run(["bootstrap", ...words]);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toMatch(message);
    expect(platform.calls).toEqual([]);
    expect(rig.fake.requests.list({ verb: "patch" })).toEqual([]);
  });
});
