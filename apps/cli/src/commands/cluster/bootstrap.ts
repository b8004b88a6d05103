import { bootstrapCluster, type BootstrapEvent } from "@starform/cluster-parts/bootstrap";
import { readFacts } from "@starform/cluster-parts/cluster-facts";
import type { ClusterParameters } from "@starform/cluster-parts/parameters";
import { everySecond } from "@starform/cluster-parts/patience";
import { preflight } from "@starform/cluster-parts/preflight";
import { parametersFor, parametersWithout, type InstallationFlags } from "../../cluster/installation.ts";
import {
  kubernetesFlags,
  openKubernetes,
  stepTimeoutMs,
  type KubernetesFlags,
} from "../../cluster/open-kubernetes.ts";
import { command, flagOf, valueOf } from "../../command.ts";
import type { Context } from "../../context.ts";

export const bootstrap = command<KubernetesFlags & InstallationFlags & { withoutShuttle: boolean }>({
  brief: "bring everything a Kubernetes cluster needs, and Shuttle",
  detail:
    "Stopped anywhere, start it again: it goes on from there, and where all is well it changes nothing. A new cluster gets its record and token from Starbase by itself; --cluster-id and --token-file name one that has them. --region-file is JSON of what the region gives: {endpoints: {logs, metrics, monitoring}, settings}. Without it no logs and metrics are sent.",
  flags: {
    ...kubernetesFlags,
    clusterId: valueOf("id", "a record that exists already"),
    region: valueOf("region", "like nyc3"),
    tokenFile: valueOf("file", "the cluster's token"),
    regionFile: valueOf("file", "addresses and settings of the region, as JSON"),
    starbaseUrl: valueOf("url", "as the cluster reaches Starbase"),
    withoutShuttle: flagOf(
      "bring the rest alone: Shuttle runs elsewhere, as of npm start -- --cluster kubernetes",
    ),
    signingKeys: valueOf("keys", "public keys of Starbase, as clusters create tells them"),
    image: {
      kind: "parsed",
      parse: String,
      variadic: true,
      optional: true,
      placeholder: "part=reference",
      brief: "another image for a part; may be repeated",
    },
  },
  async run(context, flags) {
    const signal = context.host.interrupted;
    const timeoutMs = stepTimeoutMs(flags);
    await using kube = await openKubernetes(context, flags);
    const facts = await readFacts(kube, signal);
    await preflight(kube, facts, signal);
    const parameters = flags.withoutShuttle
      ? await parametersWithout(context, kube, flags)
      : await parametersFor(context, kube, flags);
    const deps = {
      kube,
      patience: everySecond,
      stepTimeoutMs: timeoutMs,
      tell: (event: BootstrapEvent) => tell(context, event),
    };
    const changed = await bootstrapCluster(deps, parameters, facts, signal);
    context.progress.end();
    const { clusterId, region, runsShuttle } = parameters;
    if (context.isJson) context.jsonLine({ ...(runsShuttle ? { clusterId, region } : {}), changed });
    else context.say(sayEnd(changed, parameters));
  },
});

function sayEnd(changed: number, { clusterId, runsShuttle }: ClusterParameters): string {
  const name = runsShuttle ? `cluster ${clusterId}` : "this cluster";
  if (changed === 0) return `${name} is as it should be; nothing was changed`;
  const next = runsShuttle
    ? "See: starform cluster doctor"
    : "It waits for a Shuttle: npm start -- --cluster kubernetes";
  return `${name} is ready: ${changed} objects were made or changed. ${next}`;
}

function tell(context: Context, event: BootstrapEvent): void {
  if (context.isJson) return context.jsonLine(event);
  const { brings, state, changed, why } = event;
  if (state === "applying") return context.progress.say(brings);
  if (state === "waiting") return context.progress.say(brings, why);
  if (state === "left_out") return context.say(`${context.paint("dim", "–")} ${brings}: left out, ${why}`);
  context.say(`${context.paint("green", "✓")} ${brings}${changed > 0 ? ` (${changed} changed)` : ""}`);
}
