import { expect, test } from "vitest";
import { projectManifests } from "../../src/adapters/kubernetes/manifests/project-manifests.ts";
import { plain, production, theOnly, web } from "./samples.ts";

const specOf = (kind: string, context = plain) =>
  theOnly(kind, web(), context)["spec"] as Record<string, unknown>;

test("a project has its frame once and one isolation for each environment, namespace first", () => {
  const services = ["staging", "production", "staging"].map((environment, at) =>
    web({ environment, service_id: `service-${at}` }),
  );
  const refs = projectManifests([...services, web({ environment: "gone", deleted: true })], plain).map(
    ({ ref }) => ref,
  );
  expect(refs).toEqual([
    "Namespace//proj-shop",
    "ServiceAccount/proj-shop/starform-app",
    "Role/proj-shop/starform-app",
    "RoleBinding/proj-shop/starform-app",
    "ResourceQuota/proj-shop/starform-project",
    "LimitRange/proj-shop/starform-project",
    "NetworkPolicy/proj-shop/env-isolation-production",
    "NetworkPolicy/proj-shop/env-isolation-staging",
  ]);
  expect(projectManifests(services.toReversed(), plain)).toEqual(projectManifests(services, plain));
});

test("nothing is made for a project whose services are all deleted", () => {
  expect(projectManifests([web({ deleted: true })], plain)).toEqual([]);
});

test("a namespace takes restricted pods only, and its routes may hang on the Gateway", () => {
  expect(theOnly("Namespace", web()).metadata.labels).toEqual({
    "starform.io/managed-by": "shuttle",
    "starform.io/cluster-id": plain.clusterId,
    "starform.io/workspace-id": web().workspace_id,
    "starform.io/project-id": web().project_id,
    "starform.io/namespace-role": "project",
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
  });
});

test("an app's account has no token, and its role no right", () => {
  expect(theOnly("ServiceAccount", web(), production)).toMatchObject({
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: "registry" }],
  });
  expect(theOnly("Role", web())["rules"]).toEqual([]);
  expect(theOnly("RoleBinding", web())).toMatchObject({
    roleRef: { kind: "Role", name: "starform-app" },
    subjects: [{ kind: "ServiceAccount", name: "starform-app", namespace: "proj-shop" }],
  });
});

test("a project's pods pull with its sign-ins, all in one Secret of the account that a new password does not rename", () => {
  const signedIn = (registry: string, password: string) =>
    web({ service_id: registry, image_credentials: { registry, username: "ada", password } });
  const made = (password: string) =>
    projectManifests([signedIn("ghcr.io", password), signedIn("docker.io", "hub"), web()], production);
  const [secret, account] = ["Secret", "ServiceAccount"].map(
    (kind) => made("first").find(({ manifest }) => manifest.kind === kind)!.manifest,
  );
  expect(account).toMatchObject({
    imagePullSecrets: [{ name: "registry" }, { name: secret!.metadata.name }],
  });
  const { ".dockerconfigjson": config } = secret!["data"] as Record<string, string>;
  expect(JSON.parse(Buffer.from(config!, "base64").toString())).toEqual({
    auths: {
      "https://index.docker.io/v1/": { username: "ada", password: "hub", auth: btoa("ada:hub") },
      "ghcr.io": { username: "ada", password: "first", auth: btoa("ada:first") },
    },
  });
  expect(made("second").map(({ ref }) => ref)).toEqual(made("first").map(({ ref }) => ref));
});

test("a project is bounded, and what says nothing of its size is a Mininova", () => {
  expect(specOf("ResourceQuota")).toEqual({
    hard: {
      "requests.cpu": "128000m",
      "requests.memory": String(256 * 2 ** 30),
      "requests.ephemeral-storage": String(500 * 2 ** 30),
      pods: "250",
      persistentvolumeclaims: "50",
      "services.loadbalancers": "0",
      "services.nodeports": "0",
    },
  });
  expect(specOf("LimitRange")).toMatchObject({
    limits: [{ type: "Container", defaultRequest: { cpu: "250m", memory: String(512 * 2 ** 20) } }],
  });
});

test("an environment talks to itself, HTTPS, names and managed data, and is talked to by itself and the gateway", () => {
  const own = {
    podSelector: {
      matchLabels: {
        "starform.io/project-id": web().project_id,
        "starform.io/environment": "production",
      },
    },
  };
  const gateway = { namespaceSelector: { matchLabels: { "starform.io/namespace-role": "gateway" } } };
  const spec = specOf("NetworkPolicy", production);
  expect(spec).toMatchObject({ ...own, policyTypes: ["Ingress", "Egress"] });
  expect(spec["ingress"]).toEqual([{ from: [own, gateway] }]);
  const [toItself, toInternet, toNames, toData, ...more] = spec["egress"] as {
    to: unknown;
    ports?: { port: number; protocol: string }[];
  }[];
  expect(more).toEqual([]);
  expect(toItself).toEqual({ to: [own] });
  expect(toInternet).toEqual({
    to: [
      {
        ipBlock: {
          cidr: "0.0.0.0/0",
          except: [
            "169.254.0.0/16",
            "100.100.100.200/32",
            "168.63.129.16/32",
            "10.20.0.0/18",
            "10.30.0.0/22",
          ],
        },
      },
      {
        ipBlock: {
          cidr: "::/0",
          except: ["fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128", "fc00::/7", "fd12::/64"],
        },
      },
    ],
    ports: [{ port: 443, protocol: "TCP" }],
  });
  expect(toNames?.ports?.map(({ port, protocol }) => `${protocol} ${port}`)).toEqual(["UDP 53", "TCP 53"]);
  expect(toData).toMatchObject({ to: [{ ipBlock: { cidr: "10.10.0.0/16" } }] });
  expect(toData?.ports?.map(({ port }) => port)).toEqual([5432, 6379, 25060, 25061]);
  expect(specOf("NetworkPolicy", plain)["egress"]).toHaveLength(3);
});
