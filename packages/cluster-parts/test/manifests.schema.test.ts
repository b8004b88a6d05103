import type { KubeObject } from "@starform/kubernetes/kube-api";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../../apps/shuttle/src/config.ts";
import { problemsOf } from "./manifest-schemas.ts";
import { everything, facts, parameters } from "./samples.ts";
import { namesIn } from "../src/parts-folder.ts";
import { filesOf, render } from "../src/render.ts";
import { steps } from "../src/steps.ts";

const all = everything();
const laptop = everything({ endpoints: undefined, signingKeys: undefined }, { hasShuttleVolume: false });

describe("every manifest of deploy/cluster", () => {
  test("is what the API server takes", () => {
    expect(all.length).toBeGreaterThan(70);
    expect([...all, ...laptop].flatMap(problemsOf)).toEqual([]);
  });

  test("says whose it is", () => {
    for (const { metadata } of all)
      expect(metadata.labels).toMatchObject({
        "starform.io/managed-by": "bootstrap",
        "starform.io/cluster-id": parameters().clusterId,
      });
  });

  test("is there once", () => {
    const names = all.map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ""}/${metadata.name}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  test("of a namespace stands after that namespace", () => {
    const made = new Set(["kube-system"]);
    const early = all.filter(({ kind, metadata }) => {
      if (kind === "Namespace") made.add(metadata.name);
      return metadata.namespace !== undefined && !made.has(metadata.namespace);
    });
    expect(early.map(({ metadata }) => metadata.name)).toEqual([]);
  });
});

test("a schema refuses what an API server refuses", () => {
  const [deployment] = all.filter(({ kind }) => kind === "Deployment");
  const wrong = (own: object): KubeObject => ({
    ...deployment!,
    spec: { ...(deployment!["spec"] as object), ...own },
  });
  expect(problemsOf(wrong({}))).toEqual([]);
  expect(problemsOf(wrong({ replicaz: 1 }))).not.toEqual([]);
  expect(problemsOf(wrong({ replicas: "1" }))).not.toEqual([]);
  expect(problemsOf(wrong({ selector: undefined }))).not.toEqual([]);
});

test("every file of deploy/cluster is applied by a step or carried by a manifest", () => {
  const folders = [...new Set(steps.map(({ folder }) => folder))];
  const applied = new Set(steps.flatMap((step) => filesOf(step).map((file) => `${step.folder}/${file}`)));
  const files = folders.flatMap((folder) => namesIn(folder).map((file) => ({ folder, file })));
  expect(files.length).toBeGreaterThan(25);
  const texts = all
    .filter(({ kind }) => kind === "ConfigMap")
    .flatMap((map) => Object.keys(map["data"] as object));
  expect(
    files
      .filter(({ folder, file }) => !applied.has(`${folder}/${file}`) && !texts.includes(file))
      .map(({ file }) => file),
  ).toEqual([]);
});

type PodSpec = {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly securityContext?: Record<string, unknown>;
  readonly volumes?: readonly Record<string, unknown>[];
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly resources?: { readonly limits?: { readonly memory?: string }; readonly requests?: object };
    readonly securityContext?: Record<string, unknown>;
  }[];
};
const pods = all.flatMap((object) => {
  const spec = (object["spec"] as { template?: { spec: PodSpec } } | undefined)?.template?.spec;
  return spec ? [{ object, spec }] : [];
});

test("no pod can become root on its node, write to its image, or take a node's memory", () => {
  expect(pods.length).toBe(9);
  for (const { object, spec } of pods) {
    expect([spec.hostNetwork, spec.hostPID]).toEqual([undefined, undefined]);
    for (const container of spec.containers)
      expect({
        name: `${object.metadata.name}/${container.name}`,
        ...container.resources,
        ...spec.securityContext,
        ...container.securityContext,
      }).toMatchObject({
        requests: { cpu: expect.stringMatching(/^\d+m$/) as string },
        limits: { memory: expect.stringMatching(/^\d+[MG]i$/) as string },
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
        // Fluent Bit alone reads files that only a node's root may read.
        ...(container.name === "fluent-bit" ? { runAsUser: 0 } : { runAsNonRoot: true }),
      });
  }
});

test("only the agents of starform-nodes see files of a node", () => {
  const seeing = pods.filter(({ spec }) => spec.volumes?.some((volume) => "hostPath" in volume));
  expect(seeing.map(({ object }) => `${object.metadata.namespace}/${object.metadata.name}`)).toEqual([
    "starform-nodes/fluent-bit",
    "starform-nodes/node-exporter",
  ]);
});

test("every image is pinned to a version, and another can be named for it", () => {
  for (const { spec } of pods)
    for (const { image } of spec.containers)
      expect(image).toMatch(/^[a-z0-9.-]+\.[a-z]+\/[a-z0-9/-]+:v?\d+\.\d+\.\d+$/);
  const mirrored = render(
    steps.find(({ name }) => name === "shuttle")!,
    parameters({ images: { shuttle: "mirror.example.com/shuttle@sha256:abc" } }),
    facts(),
  );
  expect(JSON.stringify(mirrored)).toContain("mirror.example.com/shuttle@sha256:abc");
});

test("without a storage class Shuttle's data is the pod's, and without signing keys nothing is verified", () => {
  const deployment = laptop.find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === "shuttle",
  );
  expect(JSON.stringify(deployment)).toContain('"name":"data","emptyDir":{"sizeLimit":"1Gi"}');
  expect(JSON.stringify(deployment)).not.toContain("SIGNING_KEYS");
  expect(laptop.some(({ kind }) => kind === "PersistentVolumeClaim")).toBe(false);
  const cloud = all.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "shuttle");
  expect(JSON.stringify(cloud)).toContain('"persistentVolumeClaim":{"claimName":"shuttle"}');
  expect(JSON.stringify(cloud)).toContain("STARFORM_SIGNING_KEYS");
});

test("every setting of a region reaches Shuttle, under a name that Shuttle knows", () => {
  const settings = {
    usesProxyProtocol: true,
    trustedHops: 1,
    tlsSecret: "origin-certificate",
    managedDataCidrs: ["10.10.0.0/20"],
    clusterCidrs: ["10.244.0.0/16", "10.96.0.0/12"],
    imagePullSecrets: ["registry"],
    storageClass: "fast",
    softLimit: 750,
  };
  const shuttle = everything({ settings }).find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === "shuttle",
  );
  const template = (shuttle?.["spec"] as { template: { spec: PodSpec } } | undefined)?.template;
  const [container] = template?.spec.containers ?? [];
  const given = (container as unknown as { env: { name: string; value: string }[] }).env;
  const env = Object.fromEntries(given.map(({ name, value }) => [name, value]));
  const aFile = fileURLToPath(import.meta.url);
  const config = readConfig({
    ...env,
    STARFORM_AUTH_TOKEN_FILE: aFile,
    STARFORM_LOGS_TOKEN_FILE: aFile,
  });
  expect(config).toMatchObject({
    runtime: "kubernetes",
    clusterId: parameters().clusterId,
    region: "nyc3",
    softLimit: 750,
    hasLeaderElection: true,
    hasVolume: true,
    http: { host: "0.0.0.0", port: 8080 },
    signingKeys: parameters().signingKeys,
    logs: { url: parameters().endpoints?.logs.url },
    kubernetes: {
      edge: { usesProxyProtocol: true, trustedHops: 1 },
      tlsSecret: "origin-certificate",
      managedDataCidrs: ["10.10.0.0/20"],
      clusterCidrs: ["10.244.0.0/16", "10.96.0.0/12"],
      imagePullSecrets: ["registry"],
      storageClass: "fast",
    },
  });
});

test("where no region takes lines in, Shuttle is told of none, and a repeat without the region's file leaves them as they are", () => {
  const envOf = (own: Parameters<typeof everything>[0]) => {
    const given = everything({ endpoints: undefined, ...own });
    const deployment = given.find(
      ({ kind, metadata }) => kind === "Deployment" && metadata.name === "shuttle",
    );
    return JSON.stringify(deployment).match(/STARFORM_LOGS_\w+","value":"[^"]+/g);
  };
  expect(envOf({})).toBeNull();
  const logsUrl = "https://logs.nyc3.example.com:6000";
  expect(envOf({ logsUrl })).toEqual([
    `STARFORM_LOGS_URL","value":"${logsUrl}`,
    'STARFORM_LOGS_TOKEN_FILE","value":"/var/run/starform-logs/token',
  ]);
  expect(envOf({ endpoints: parameters().endpoints })).toEqual(envOf({ logsUrl }));
});

test("a changed token or configuration starts the pods anew that read it only once", () => {
  const checksum = (objects: readonly KubeObject[]) =>
    JSON.stringify(objects.filter(({ kind }) => kind === "DaemonSet")).match(
      /config-checksum":"(sha256:[0-9a-f]{64})/,
    )?.[1];
  const other = everything({
    endpoints: {
      ...parameters().endpoints!,
      logs: { ...parameters().endpoints!.logs, token: "another-token-1" },
    },
  });
  expect(checksum(all)).toBeDefined();
  expect(checksum(other)).not.toBe(checksum(all));
});

test("a parameter that could break out of a configuration is refused", () => {
  for (const wrong of [
    { token: 'abcdefgh"; drop' },
    { region: "nyc3\nx" },
    { starbaseUrl: "https://a.example/x y" },
    { starbaseUrl: "ftp://a.example" },
    { clusterId: "c1" },
  ])
    expect(() => parameters(wrong)).toThrow(/expected|invalid|written/i);
});
