import type { DesiredService } from "@starform/contract/clusters";
import { describe, expect, test } from "vitest";
import { refOf } from "../../src/adapters/kubernetes/manifests/manifest.ts";
import {
  configMapName,
  varGroupSecretName,
  workloadName,
} from "../../src/adapters/kubernetes/manifests/names.ts";
import { manifestsOf } from "../../src/adapters/kubernetes/manifests/service-manifests.ts";
import { allSteps, cron, group, plain, production, richest, theOnly, web, worker } from "./samples.ts";
import { passOnSigtermScript } from "../../src/core/who-hears-sigterm.ts";

type Spec = Record<string, never>;
const specOf = (kind: string, service: DesiredService, context = plain) =>
  theOnly(kind, service, context)["spec"] as Record<string, unknown>;
const templateOf = (service: DesiredService, context = plain) =>
  specOf("Deployment", service, context)["template"] as {
    metadata: { labels: Record<string, string>; annotations: Record<string, string> };
    spec: Record<string, unknown> & { containers: [Record<string, unknown>] };
  };
const containerOf = (service: DesiredService, context = plain) =>
  templateOf(service, context).spec.containers[0];
const kindsOf = (service: DesiredService) => manifestsOf(service, plain).map(({ manifest }) => manifest.kind);

describe("what is made, in the order of application", () => {
  const budgetAndDeployment = ["PodDisruptionBudget", "Deployment"];
  test.each([
    ["a web service", web(), ["ConfigMap", "Service", ...budgetAndDeployment, "HTTPRoute"]],
    ["a worker", worker(), ["ConfigMap", ...budgetAndDeployment]],
    ["a cron", cron(), ["ConfigMap", "CronJob"]],
    [
      "a web service without a host",
      web({ hostname: null }),
      ["ConfigMap", "Service", ...budgetAndDeployment],
    ],
    [
      "everything at once",
      richest(),
      [
        "ConfigMap",
        "Secret",
        "Secret",
        "PersistentVolumeClaim",
        "Service",
        ...budgetAndDeployment,
        "HorizontalPodAutoscaler",
        "HTTPRoute",
      ],
    ],
    ["a deleted service", web({ deleted: true }), []],
  ])("%s", (_name, service, kinds) => expect(kindsOf(service)).toEqual(kinds));

  test("a pod starts after its namespace, account, isolation, variables and volumes; never a cron before them", () => {
    for (const service of [richest(), { ...richest(), service_type: "cron" } as const]) {
      const workload = allSteps(service, plain).find(({ manifest }) =>
        /Deployment|CronJob/.test(manifest.kind),
      );
      expect(workload?.after.map(({ on }) => on.split("/")[0])).toEqual([
        "Namespace",
        "ServiceAccount",
        "NetworkPolicy",
        "ConfigMap",
        "Secret",
        "Secret",
        "PersistentVolumeClaim",
      ]);
    }
  });

  test("a route waits for the first instance to be ready, and for none where none is wanted", () => {
    const routeOf = (service: DesiredService) =>
      manifestsOf(service, plain).find(({ manifest }) => manifest.kind === "HTTPRoute");
    const ready = { on: refOf(theOnly("Deployment", web())), until: "ready-once" };
    expect(routeOf(web())?.after).toContainEqual(ready);
    expect(routeOf(web({ replicas: 0 }))?.after).not.toContainEqual(ready);
  });
});

describe("a pod", () => {
  test.each([
    ["web", templateOf(web()).spec],
    ["rich", templateOf(richest(), production).spec],
    ["cron", cronPod(cron())],
  ])("is restricted, and bounded in all it uses: %s", (_name, pod) => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            privileged: false,
            capabilities: { drop: ["ALL"] },
          },
          resources: {
            requests: { cpu: "250m", memory: "536870912", "ephemeral-storage": "268435456" },
            limits: { cpu: "250m", memory: "536870912", "ephemeral-storage": "4294967296" },
          },
        },
      ],
    });
    const { runAsUser } = pod["securityContext"] as { runAsUser: number };
    expect(runAsUser).toBeGreaterThan(0);
    for (const volume of pod["volumes"] as object[])
      expect(Object.keys(volume).some((key) => ["emptyDir", "persistentVolumeClaim"].includes(key))).toBe(
        true,
      );
  });

  test("has a read-only root where the image allows it", () => {
    const rootOf = (image_traits: DesiredService["image_traits"]) =>
      containerOf(web({ image_traits }))["securityContext"];
    expect(rootOf({ has_read_only_root: true })).toMatchObject({ readOnlyRootFilesystem: true });
    for (const unknown of [undefined, null, { has_read_only_root: false }])
      expect(rootOf(unknown)).toMatchObject({ readOnlyRootFilesystem: false });
    expect(containerOf(web())["volumeMounts"]).toContainEqual({ name: "tmp", mountPath: "/tmp" });
  });

  test("takes own variables first, then the groups in order, so that a later one wins", () => {
    const service = richest();
    expect(containerOf(service)["envFrom"]).toEqual([
      { configMapRef: { name: configMapName(service) } },
      ...service.var_groups.map((each) => ({ secretRef: { name: varGroupSecretName(service, each) } })),
    ]);
    expect(containerOf(service)["env"]).toContainEqual({ name: "PORT", value: "8080" });
    expect(containerOf(worker())["env"]).not.toContainEqual(expect.objectContaining({ name: "PORT" }));
  });

  test("goes on serving before SIGTERM while somebody may still send to it, then has its whole drain time", () => {
    expect(containerOf(web({ drain_seconds: 30 }))["lifecycle"]).toEqual({
      preStop: { sleep: { seconds: 10 } },
    });
    expect(templateOf(web({ drain_seconds: 30 })).spec["terminationGracePeriodSeconds"]).toBe(40);
    expect(templateOf(web({ drain_seconds: 0 })).spec["terminationGracePeriodSeconds"]).toBe(11);
    expect(containerOf(worker())["lifecycle"]).toBeUndefined();
    expect(templateOf(worker({ drain_seconds: 30 })).spec["terminationGracePeriodSeconds"]).toBe(30);
  });

  test("lets SIGTERM past package managers and shells where its image has a shell to ask with", () => {
    const hookOf = (service: DesiredService) => containerOf(service)["lifecycle"];
    const asks = (script: string) => ({ preStop: { exec: { command: ["/bin/sh", "-c", script] } } });
    const image_traits = { has_read_only_root: false, has_shell: true };
    const served = asks(`PATH=$PATH:/usr/bin:/bin sleep 10\n${passOnSigtermScript}`);
    expect(hookOf(web({ image_traits }))).toEqual(served);
    expect(hookOf(web({ command: "npm start" }))).toEqual(served);
    expect(hookOf(worker({ image_traits }))).toEqual(asks(passOnSigtermScript));
    expect(
      templateOf(worker({ image_traits, drain_seconds: 30 })).spec["terminationGracePeriodSeconds"],
    ).toBe(30);
  });

  test("is not the first process of its own, which SIGTERM would not end", () => {
    expect(templateOf(web()).spec["shareProcessNamespace"]).toBe(true);
  });

  test("is asked how it is on its own port, with the time it was given to start", () => {
    const probe = { kind: "http", path: "/up", timeout_seconds: 90 } as const;
    const service = web({
      ports: [
        { container_port: 53, protocol: "UDP" },
        { container_port: 3000, protocol: "TCP" },
      ],
      probes: { startup: probe, readiness: probe, liveness: { kind: "none", timeout_seconds: 90 } },
    });
    const httpGet = { path: "/up", port: 3000, httpHeaders: [{ name: "Host", value: "localhost" }] };
    expect(containerOf(service)["startupProbe"]).toEqual({
      httpGet,
      periodSeconds: 1,
      failureThreshold: 90,
      timeoutSeconds: 5,
    });
    expect(containerOf(service)["readinessProbe"]).toMatchObject({
      httpGet,
      periodSeconds: 2,
      failureThreshold: 3,
    });
    expect(containerOf(service)["livenessProbe"]).toBeUndefined();
    expect(specOf("Deployment", service)["progressDeadlineSeconds"]).toBe(210);
  });

  test("carries the tenant's labels and what starts it anew", () => {
    const service = web({ restart_nonce: "again" });
    const { labels, annotations } = templateOf(service).metadata;
    expect(labels).toEqual({
      "starform.io/managed-by": "shuttle",
      "starform.io/cluster-id": plain.clusterId,
      "starform.io/workspace-id": service.workspace_id,
      "starform.io/project-id": service.project_id,
      "starform.io/environment": "production",
      "starform.io/service-id": service.service_id,
      "starform.io/service-name": "web",
      "starform.io/service-type": "web",
      "starform.io/tier": "mininova",
    });
    expect(annotations).toMatchObject({
      "starform.io/deployment-id": service.provenance.deployment_id,
      "starform.io/config-checksum": service.config_checksum,
      "starform.io/restart-nonce": "again",
      "starform.io/var-group-checksum": expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });
});

function cronPod(service: DesiredService): Spec & ReturnType<typeof templateOf>["spec"] {
  const { jobTemplate } = specOf("CronJob", service) as unknown as {
    jobTemplate: { spec: { template: ReturnType<typeof templateOf> } };
  };
  return jobTemplate.spec.template.spec as Spec & ReturnType<typeof templateOf>["spec"];
}

describe("a Deployment", () => {
  test("never has fewer ready pods than asked for, except where a volume can be in one place only", () => {
    expect(specOf("Deployment", web())["strategy"]).toMatchObject({ rollingUpdate: { maxUnavailable: 0 } });
    const withVolume = web({ volumes: [{ name: "data", mount_path: "/data", size_bytes: 1 }] });
    expect(specOf("Deployment", withVolume)["strategy"]).toEqual({ type: "Recreate" });
    expect(templateOf(withVolume).spec["affinity"]).toMatchObject({
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname" }],
      },
    });
    expect(templateOf(web()).spec["topologySpreadConstraints"]).toHaveLength(2);
  });

  test("stays as it is while its volume grows, for that starts nothing anew", () => {
    const of = (size_bytes: number) => web({ volumes: [{ name: "data", mount_path: "/data", size_bytes }] });
    expect(specOf("Deployment", of(2))).toEqual(specOf("Deployment", of(1)));
    expect(specOf("PersistentVolumeClaim", of(2))).not.toEqual(specOf("PersistentVolumeClaim", of(1)));
  });

  test("leaves its number to the autoscaler where there is one, and is scaled to nothing all the same", () => {
    const autoscaling = { min_replicas: 2, max_replicas: 4, cpu_percent: null, memory_percent: null };
    expect(specOf("Deployment", web({ replicas: 3 }))["replicas"]).toBe(3);
    expect(specOf("Deployment", web({ replicas: 3, autoscaling }))).not.toHaveProperty("replicas");
    const stopped = web({ replicas: 0, autoscaling });
    expect(specOf("Deployment", stopped)["replicas"]).toBe(0);
    expect(kindsOf(stopped)).not.toContain("HorizontalPodAutoscaler");
  });

  test("says who deployed what", () => {
    const { provenance } = web();
    expect(theOnly("Deployment", web()).metadata.annotations).toMatchObject({
      "kubernetes.io/change-cause": `Deployment ${provenance.deployment_id} by ada@example.com`,
      "starform.io/build-id": provenance.build_id,
      "starform.io/git-sha": provenance.git_sha,
      "starform.io/git-ref": provenance.git_ref,
      "starform.io/git-repo": provenance.git_repo,
      "starform.io/image-ref": provenance.image_ref,
      "starform.io/deployed-at": provenance.deployed_at,
      "starform.io/deployed-by": provenance.deployed_by,
    });
  });

  test("selects by what never changes", () => {
    const { project_id, environment, service_id } = web();
    expect(specOf("Deployment", web())["selector"]).toEqual({
      matchLabels: {
        "starform.io/project-id": project_id,
        "starform.io/environment": environment,
        "starform.io/service-id": service_id,
      },
    });
  });
});

test("an autoscaler without a measure looks at the processor", () => {
  const autoscaling = { min_replicas: 2, max_replicas: 4, cpu_percent: null, memory_percent: null };
  const measures = (own: object) =>
    (
      specOf("HorizontalPodAutoscaler", web({ autoscaling: { ...autoscaling, ...own } }))["metrics"] as {
        resource: { name: string; target: { averageUtilization: number } };
      }[]
    ).map(({ resource: { name, target } }) => `${name} ${target.averageUtilization}`);
  expect(measures({})).toEqual(["cpu 80"]);
  expect(measures({ memory_percent: 70 })).toEqual(["memory 70"]);
  expect(measures({ cpu_percent: 60, memory_percent: 70 })).toEqual(["cpu 60", "memory 70"]);
});

test("a cron runs by UTC, one run at a time, and a failed run is not begun again", () => {
  expect(specOf("CronJob", cron())).toMatchObject({
    schedule: "0 4 * * *",
    timeZone: "Etc/UTC",
    suspend: false,
    concurrencyPolicy: "Forbid",
    jobTemplate: { spec: { backoffLimit: 0, template: { spec: { restartPolicy: "Never" } } } },
  });
  expect(specOf("CronJob", cron({ schedule: null }))["suspend"]).toBe(true);
  // Kubernetes refuses 7 for Sunday.
  for (const [weekday, as] of [
    ["7", "0"],
    ["0,7", "0,0"],
    ["5-7", "5,6,0"],
    ["1-7/2", "1,3,5,0"],
    ["1-5", "1-5"],
    ["MON-FRI", "MON-FRI"],
    ["*/7", "*/7"],
  ])
    expect(specOf("CronJob", cron({ schedule: `7 7 7 7 ${weekday}` }))["schedule"]).toBe(`7 7 7 7 ${as}`);
});

test("a Service answers on each of the app's ports, and every route of a service leads to it", () => {
  expect(specOf("Service", richest())["ports"]).toEqual([
    { name: "tcp-8080", port: 8080, targetPort: 8080, protocol: "TCP" },
    { name: "udp-9000", port: 9000, targetPort: 9000, protocol: "UDP" },
  ]);
  expect(specOf("HTTPRoute", richest())).toEqual({
    parentRefs: [{ name: "starform", namespace: "envoy-gateway-system" }],
    hostnames: ["web-shop.starform.app", "shop.example.com"],
    rules: [{ backendRefs: [{ name: workloadName(richest()), port: 8080 }] }],
  });
});

test("forty hosts are all routed, sixteen to a route", () => {
  const hostnames = Array.from({ length: 40 }, (_, at) => `h${at}.example.com`);
  const routes = manifestsOf(web({ hostname: null, hostnames }), plain)
    .map(({ manifest }) => manifest)
    .filter(({ kind }) => kind === "HTTPRoute");
  const hostsOf = (route: (typeof routes)[number]) => (route["spec"] as { hostnames: string[] }).hostnames;
  expect(routes.map((route) => hostsOf(route).length)).toEqual([16, 16, 8]);
  expect(routes.flatMap(hostsOf)).toEqual(hostnames);
  expect(new Set(routes.map(({ metadata }) => metadata.name)).size).toBe(3);
});

test("a group's Secret holds its values in base64, its label says whose it is, and nothing tells a value in the clear", () => {
  const service = web({ var_groups: [group({ variables: { TOKEN: "hunter2 ü" } })] });
  const secret = theOnly("Secret", service);
  expect(Buffer.from((secret["data"] as { TOKEN: string }).TOKEN, "base64").toString()).toBe("hunter2 ü");
  expect(secret.metadata.labels).toMatchObject({ "starform.io/var-group-id": group().var_group_id });
  expect(secret["immutable"]).toBe(true);
  expect(JSON.stringify(allSteps(service, plain))).not.toContain("hunter2");
});

test("a claim asks for the volume's size from the cluster's storage", () => {
  expect(specOf("PersistentVolumeClaim", richest(), production)).toEqual({
    accessModes: ["ReadWriteOnce"],
    storageClassName: "do-block-storage",
    resources: { requests: { storage: String(10 * 2 ** 30) } },
  });
  expect(specOf("PersistentVolumeClaim", richest())).not.toHaveProperty("storageClassName");
});

test("a node is emptied one instance at a time, and never held up by a preview", () => {
  expect(specOf("PodDisruptionBudget", web())).toMatchObject({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  });
  expect(specOf("PodDisruptionBudget", web({ is_ephemeral: true }))["maxUnavailable"]).toBe("100%");
});
