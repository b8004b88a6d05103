import { inventoryOf, type Inventory } from "@starform/cluster-parts/inventory";
import { everySecond } from "@starform/cluster-parts/patience";
import type { RemovalEvent } from "@starform/cluster-parts/removal-calls";
import { removeCluster } from "@starform/cluster-parts/remove";
import {
  kubernetesFlags,
  openKubernetes,
  stepTimeoutMs,
  type KubernetesFlags,
} from "../../cluster/open-kubernetes.ts";
import { command, flagOf } from "../../command.ts";
import type { Context } from "../../context.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";

export const remove = command<KubernetesFlags & { deleteVolumes: boolean }>({
  brief: "take Starform away from a Kubernetes cluster",
  detail:
    "Apps in it end. Customers' volumes stay, with their namespaces, unless --delete-volumes. What is not Starform's is not touched. The cluster's record at Starbase stays.",
  flags: {
    ...kubernetesFlags,
    deleteVolumes: flagOf("delete the volumes of apps too; they cannot be brought back"),
  },
  async run(context, flags) {
    const signal = context.host.interrupted;
    await using kube = await openKubernetes(context, flags);
    const inventory = await inventoryOf(kube, signal);
    if (!(await context.confirm(questionOf(inventory, flags.deleteVolumes))))
      throw new ExitError(exitCodes.failed, "nothing was removed");
    const deps = {
      kube,
      patience: everySecond,
      stageTimeoutMs: stepTimeoutMs(flags),
      tell: (event: RemovalEvent) => tell(context, event),
    };
    await removeCluster(deps, { deletesVolumes: flags.deleteVolumes }, signal);
    context.progress.end();
    if (context.isJson) context.jsonLine({ removed: true, volumesDeleted: flags.deleteVolumes });
    else context.say("Starform is gone from this cluster");
  },
});

function questionOf({ projects, services, volumes }: Inventory, deletesVolumes: boolean): string {
  const ends = services > 0 ? `ends ${services} services of ${projects} projects` : "ends no app";
  const fate =
    volumes === 0 ? "" : deletesVolumes ? ` and DELETES ${volumes} volumes` : ` and keeps ${volumes} volumes`;
  return `This ${ends}${fate}, and takes away all that bootstrap has brought. Go on?`;
}

function tell(context: Context, event: RemovalEvent): void {
  if (context.isJson) return context.jsonLine(event);
  const { stage, state, count, why } = event;
  if (state === "removing" || state === "waiting") return context.progress.say(`removing ${stage}`, why);
  if (state === "kept") return context.say(`${context.paint("yellow", "!")} kept ${count}: ${why}`);
  context.say(`${context.paint("green", "✓")} ${stage} (${count} removed)`);
}
