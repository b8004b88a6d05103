import { examineCluster } from "@starform/cluster-parts/doctor";
import { everySecond, patientKube } from "@starform/cluster-parts/patience";
import type { Finding } from "@starform/cluster-parts/examination";
import { askStarbase } from "../../cluster/ask-starbase.ts";
import { kubernetesFlags, openNow, type KubernetesFlags } from "../../cluster/open-kubernetes.ts";
import { command, flagOf, valueOf } from "../../command.ts";
import type { Context } from "../../context.ts";
import { exitCodes } from "../../exit-error.ts";

export const doctor = command<
  Pick<KubernetesFlags, "kubeconfig" | "context"> & { withoutShuttle: boolean; clusterId?: string }
>({
  brief: "say what is missing in a cluster, and how to mend it",
  detail: "It changes nothing. The exit code is 1 where something does not work; a warning alone is 0.",
  flags: {
    kubeconfig: kubernetesFlags.kubeconfig,
    context: kubernetesFlags.context,
    clusterId: valueOf("id", "without Shuttle: whose apps there may be; none, for nobody's"),
    withoutShuttle: flagOf("Shuttle runs elsewhere: look at this kubeconfig's rights instead of its pod"),
  },
  async run(context, flags) {
    const { interrupted: signal, now } = context.host;
    await using atOnce = await openNow(context, flags);
    const kubernetesVersion = await atOnce.version(signal);
    const kube = patientKube(atOnce, everySecond);
    const tell = (finding: Finding) => context.say(linesOf(context, finding));
    const findings = await examineCluster(
      {
        kube,
        now,
        askStarbase: flags.withoutShuttle ? undefined : askStarbase,
        clusterId: flags.clusterId,
      },
      tell,
      signal,
    );
    const errors = findings.filter(({ level }) => level === "error").length;
    const warnings = findings.filter(({ level }) => level === "warning").length;
    context.answer({ kubernetesVersion, findings, errors, warnings }, () =>
      errors + warnings === 0 ? "all is well" : `${errors} to mend, ${warnings} to know`,
    );
    return errors > 0 ? exitCodes.failed : 0;
  },
});

const marks = { ok: ["green", "✓"], warning: ["yellow", "!"], error: ["red", "✗"] } as const;

function linesOf({ paint }: Context, { check, level, says, mend }: Finding): string {
  const [colour, mark] = marks[level];
  return `${paint(colour, mark)} ${check}: ${says}${mend ? `\n  ${paint("dim", "→")} ${mend}` : ""}`;
}
