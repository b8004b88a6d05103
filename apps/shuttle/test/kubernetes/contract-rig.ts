import type { KubeApi } from "@starform/kubernetes/kube-api";
import type { LogLine } from "@starform/log-shipper/log-shipper";
import type { ToldEndings } from "../../src/adapters/kubernetes/kept/told-endings.ts";
import { openKubernetesCluster } from "../../src/adapters/kubernetes/kubernetes-cluster.ts";
import { plainContext } from "../../src/adapters/kubernetes/manifests/context.ts";
import type { ClusterRig } from "../cluster.contract.ts";
import { openKubeRig } from "./cluster-rig.ts";
import { emulated, imageOfCommand } from "./emulated-app.ts";

/** A fake cluster lives through a minute in two seconds: pods drain for ten seconds, crons run every minute. */
const speed = 30;

/**
 * The suite's rig over a cluster whose pods do what the sample app would: the fake one, or that of `TEST_KUBECONFIG` with
 * nodes that stand in. `through` may change what is applied.
 */
export async function openKubernetesContractRig(
  through: (api: KubeApi) => KubeApi = (api) => api,
): Promise<ClusterRig> {
  await using stack = new AsyncDisposableStack();
  const rig = stack.use(await openKubeRig({ scriptsPods: true, speed }));
  rig.fake?.metrics.script({}, { cpu: "120m", memory: "64Mi" });
  const apps = emulated(rig, stack.use(await rig.seen()));
  const opened = stack.move();
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
    measuresUsage: rig.fake !== undefined,
    // A run that is due while another goes on begins late, and is left out once the next is due as well.
    everySecond: { schedule: "* * * * *", takes: "2500", withinMs: rig.fake ? 60_000 : 420_000 },
    missingImage: `registry.example.com/missing@sha256:${"0".repeat(64)}`,
    image: async (command) => imageOfCommand(command ?? ""),
    ask: (service, path) => apps.ask(service.hostname!, path),
    async open() {
      const cluster = await openKubernetesCluster({
        api: through(await rig.connect()),
        context: plainContext(rig.clusterId),
        logs: {
          sink: { ship: (line) => void lines.push(line), flush: async () => undefined },
          told: { load: async () => told, save: async (now) => void (told = new Map(now)) },
        },
        nowMs: rig.nowMs,
        warn: (sentence) => void (process.env["SHUTTLE_LOG"] && console.warn(sentence)),
      });
      return {
        ...cluster,
        apply: (service, version, signal) => cluster.apply(apps.scripted(service), version, signal),
        watch: (service, version) => cluster.watch(apps.scripted(service), version),
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
