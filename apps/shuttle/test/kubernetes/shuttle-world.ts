import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { desiredStatePurpose } from "@starform/contract/clusters";
import { signerOf } from "@starform/std/signature";
import type { Clock } from "@starform/testkit/kubernetes/clock";
import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { readConfig, readOperatorConfig } from "../../src/config.ts";
import { systemTime, type Time } from "../../src/core/time.ts";
import { openShuttle, type Shuttle } from "../../src/wiring/open-shuttle.ts";
import { operate } from "../../src/wiring/operate.ts";
import { openFakeStarbase } from "../fake-starbase.ts";

const token = "the-token-of-the-cluster";
export const system = "starform-system";
/** Shuttles that one world may see start. */
const shuttlesMax = 100;
const users = Array.from({ length: shuttlesMax }, (_, at) => `shuttle-${at}`);

export type World = Awaited<ReturnType<typeof openWorld>>;
/** One that is known to both servers by a name of its own, so that it can be cut off from them. */
export type WorldShuttle = Shuttle & { readonly user: string; kill(): Promise<void> };

/** A Kubernetes cluster with a time of its own, a Starbase that signs, and Shuttles between them. */
export async function openWorld({
  clock,
  time = systemTime,
}: {
  readonly clock: Clock;
  readonly time?: Time;
}) {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "starform-world-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const signer = signerOf(`k1:${randomBytes(32).toString("base64")}`, desiredStatePurpose);
  const starbase = stack.use(await openFakeStarbase(token, 0, signer.sign));
  const tokens = Object.fromEntries(users.map((name) => [name, { name, groups: ["system:masters"] }]));
  const fake = stack.use(await openFakeKubernetes({ clock, tokens }));
  for (const name of [system, "envoy-gateway-system"])
    fake.client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const kubeconfigOf = (user: string): string => {
    const path = join(dir, user);
    writeFileSync(path, fake.kubeconfig(user));
    return path;
  };
  const admin = kubeconfigOf("admin");
  const clusterId = randomUUID();
  let started = 0;
  const opened = stack.move();
  return {
    dir,
    fake,
    starbase,
    clusterId,
    sign: signer.sign,
    async shuttle(own: Record<string, string> = {}): Promise<WorldShuttle> {
      const user = users[started++]!;
      const shuttle = await openShuttle(
        readConfig({
          KUBECONFIG: kubeconfigOf(user),
          STARFORM_RUNTIME: "kubernetes",
          STARFORM_SIGNING_KEYS: signer.publicKeys,
          STARFORM_STARBASE_URL: `${starbase.url}/${user}`,
          STARFORM_CLUSTER_ID: clusterId,
          STARFORM_REGION: "nyc3",
          STARFORM_AUTH_TOKEN: token,
          STARFORM_METRICS_ADDR: "127.0.0.1:0",
          STARFORM_RECONCILE_INTERVAL: "1ms",
          STARFORM_STATUS_INTERVAL: "20ms",
          STARFORM_LOG_LEVEL: "error",
          ...own,
        }),
        { time, identity: user },
      );
      return {
        ...shuttle,
        user,
        /** From this moment on neither server hears of it, as of a process that was killed. */
        async kill() {
          fake.faults.add({ user }, { cut: "before" });
          starbase.misbehave((_, path) => (path.startsWith(`/${user}/`) ? { cut: "before" } : undefined));
          await shuttle[Symbol.asyncDispose]();
        },
      };
    },
    /** With the cluster's credentials alone. */
    operate: (...args: string[]) => operate(args, readOperatorConfig({ KUBECONFIG: admin })),
    /** Passes over everything, of which a real day has 2,880. */
    passes: async ({ port }: Shuttle) => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return Number(/^starform_reconcile_passes_total (\d+)$/m.exec(text)?.[1]);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
