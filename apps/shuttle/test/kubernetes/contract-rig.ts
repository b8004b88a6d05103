import { randomUUID } from "node:crypto";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import type { LogLine } from "@starform/log-shipper/log-shipper";
import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import type { ToldEndings } from "../../src/adapters/kubernetes/kept/told-endings.ts";
import { openKubernetesCluster } from "../../src/adapters/kubernetes/kubernetes-cluster.ts";
import { plainContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import type { ClusterRig } from "../cluster.contract.ts";
import { fastClock } from "./fast-clock.ts";
import { emulated, imageOfCommand } from "./emulated-app.ts";

/** A cluster lives through a minute in two seconds: pods drain for ten seconds, crons run every minute. */
const speed = 30;

/** The suite's rig over a fake cluster, whose pods do what the sample app would; `through` may change what is applied. */
export async function openKubernetesContractRig(
  through: (api: KubeApi) => KubeApi = (api) => api,
): Promise<ClusterRig> {
  const clock = fastClock(speed);
  const fake = await openFakeKubernetes({ clock });
  fake.metrics.script({}, { cpu: "120m", memory: "64Mi" });
  const apps = emulated(fake, speed);
  const clusterId = randomUUID();
  const lines: LogLine[] = [];
  let told: ToldEndings = new Map();
  return {
    lines,
    isolatesNetwork: true,
    seesListeners: false,
    restartsInPlace: true,
    shipsLines: false,
    outlivesShuttle: true,
    knowsMissingCommand: false,
    everySecond: { schedule: "* * * * *", takes: "2500" },
    missingImage: `registry.example.com/missing@sha256:${"0".repeat(64)}`,
    image: async (command) => imageOfCommand(command ?? ""),
    ask: (service, path) => apps.ask(service.hostname!, path),
    async open() {
      const cluster = await openKubernetesCluster({
        api: through(await openKubeApi({ kubeconfig: fake.kubeconfig() })),
        context: plainContext(clusterId),
        logs: {
          sink: { ship: (line) => void lines.push(line), flush: async () => undefined },
          told: { load: async () => told, save: async (now) => void (told = new Map(now)) },
        },
        nowMs: () => clock.now().getTime(),
        warn: (sentence) => void (process.env["SHUTTLE_LOG"] && console.warn(sentence)),
      });
      return {
        ...cluster,
        apply: (service, version, signal) => cluster.apply(apps.scripted(service), version, signal),
        watch: (service, version) => cluster.watch(apps.scripted(service), version),
      };
    },
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}
