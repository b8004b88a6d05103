import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "@starform/kubernetes/kube-api";
import { until } from "@starform/std/retry";
import { steppedClock } from "@starform/testkit/kubernetes/clock";
import { telemetryCanRun, telemetryProcess } from "@starform/testkit/telemetry-process";
import { expect, test } from "vitest";
import { aDocument, aService } from "../../../../apps/shuttle/test/desired.ts";
import { openWorld } from "../../../../apps/shuttle/test/kubernetes/shuttle-world.ts";
import { clickhouseLogStore } from "../../../../apps/starbase/src/adapters/clickhouse/log-store.ts";
import { endpoints, everything } from "../samples.ts";
import { openVectorDoor } from "./vector-door.ts";

type Pod = {
  readonly containers: readonly {
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
};

/** What Shuttle's pod has of a bootstrap for its lines: settings, and Secrets as files, `root` in the place of "/". */
function shuttlePod(manifests: readonly KubeObject[], root: string): Record<string, string> {
  const named = (kind: string, name: string) =>
    manifests.find(
      ({ kind: is, metadata }) =>
        is === kind && metadata.name === name && metadata.namespace === "starform-system",
    );
  const { spec } = (named("Deployment", "shuttle")!["spec"] as { template: { spec: Pod } }).template;
  const [container] = spec.containers;
  for (const { name, secret } of spec.volumes) {
    const { mountPath } = container!.volumeMounts.find((mount) => mount.name === name)!;
    mkdirSync(join(root, mountPath), { recursive: true });
    const data = (secret && named("Secret", secret.secretName)?.["data"]) as Record<string, string>;
    for (const [key, value] of Object.entries(data ?? {}))
      writeFileSync(join(root, mountPath, key), Buffer.from(value, "base64"));
  }
  return Object.fromEntries(
    container!.env
      .filter(({ name }) => name.startsWith("STARFORM_LOGS_") || name === "STARFORM_DATA_DIR")
      .map(({ name, value }) => [name, value.startsWith("/") ? join(root, value) : value]),
  );
}

test.skipIf(!process.env["CI"] && !telemetryCanRun())(
  "what became of an app is a line of its own log in the region, by what a bootstrap gives Shuttle and what Vector takes",
  { timeout: 300_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const root = mkdtempSync(join(tmpdir(), "starform-pod-"));
    stack.defer(() => rmSync(root, { recursive: true, force: true }));
    const telemetry = stack.use(await telemetryProcess());
    const store = stack.use(clickhouseLogStore(telemetry));
    await store.ensureSchema();
    const door = stack.use(await openVectorDoor(telemetry));
    const logs = { url: door.url, token: "logs-token-of-the-cluster" };
    door.allow(logs.token);
    const pod = shuttlePod(everything({ endpoints: { ...endpoints, logs } }), root);

    const world = stack.use(await openWorld({ clock: steppedClock(new Date()) }));
    const image = `registry.example.com/shop/web@sha256:${"a".repeat(64)}`;
    const dies = (code: number, reason: string, times: number) =>
      world.fake.pods.script({ image }, { exit: { code, reason, afterMs: 30_000, times } });
    dies(137, "OOMKilled", 1);
    const service = aService({ image });
    world.starbase.publish(aDocument(world.clusterId, 1, [service]));
    stack.use(await world.shuttle(pod));
    const told = async (count: number) => {
      await world.fake.advance(5_000);
      const scope = {
        workspaceId: service.workspace_id,
        projectId: service.project_id,
        environment: service.environment,
        serviceIds: [service.service_id],
        keptSince: new Date(0),
      };
      const { entries } = await store.search(scope, {}, { limit: 10 });
      return entries.length === count && entries;
    };
    const [killed] = await until("its log has it", () => told(1), { withinMs: 120_000 });
    const [ran] = world.fake.client.list("v1", "Pod", service.namespace);
    expect(killed).toMatchObject({
      stream: "system",
      level: "warn",
      deploymentId: service.provenance.deployment_id,
      instanceId: ran!.metadata.name,
      message: expect.stringMatching(/^killed: used more than 512 MiB, the limit of tier mininova/) as string,
    });

    // The region takes another token by now; the kubelet lays it where the old one was.
    door.allow("the-next-token");
    dies(3, "Error", 2);
    await until(
      "the old one is refused",
      async () => {
        await world.fake.advance(5_000);
        return door.refused > 0;
      },
      { withinMs: 120_000 },
    );
    writeFileSync(pod["STARFORM_LOGS_TOKEN_FILE"]!, "the-next-token");
    const both = await until("its log has that as well", () => told(2), { withinMs: 120_000 });
    expect(both.map(({ message }) => message)).toEqual([
      killed!.message,
      expect.stringMatching(/^exited with code 3 after /),
    ]);
    expect(door.unattributed).toEqual([]);
  },
);
