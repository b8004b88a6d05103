import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { everySecond, patientKube, type Patience } from "@starform/cluster-parts/patience";
import type { KubeApi } from "@starform/kubernetes/kube-api";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { durationMs } from "@starform/std/duration";
import { wordsOf } from "@starform/std/fault";
import { valueOf } from "../command.ts";
import type { Context } from "../context.ts";
import { usageError } from "../exit-error.ts";

/** Which Kubernetes cluster a command is about, and how long it may wait. */
export type KubernetesFlags = {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly timeout?: string;
};
export const kubernetesFlags = {
  kubeconfig: valueOf("file", "the cluster's administrator (KUBECONFIG, or ~/.kube/config)"),
  context: valueOf("name", "of the kubeconfig; its current one if left out"),
  timeout: valueOf("duration", "for each step, like 10m (5m)"),
};

/** Opens the cluster's API, which waits out what passes by itself; exit 2 where no kubeconfig is found. */
export const openKubernetes = async (
  context: Context,
  flags: KubernetesFlags,
  patience: Patience = everySecond,
): Promise<KubeApi> => patientKube(await openNow(context, flags), patience);

/** The same, where a cluster that does not answer is to be told at once. */
export async function openNow({ host }: Context, flags: KubernetesFlags): Promise<KubeApi> {
  const named = (flags.kubeconfig ?? host.env["KUBECONFIG"] ?? "").split(delimiter).filter(Boolean);
  const paths =
    named.length > 0 ? named.map((each) => resolve(host.cwd, each)) : [join(host.homeDir, ".kube/config")];
  if (!paths.some((path) => existsSync(path)))
    throw usageError(`there is no ${paths.join(" or ")}: name the cluster's kubeconfig with --kubeconfig`);
  const access = { kubeconfigFile: paths.join(delimiter), context: flags.context };
  return openKubeApi(access, { userAgent: "starform-cli" });
}

export const stepTimeoutMs = ({ timeout }: KubernetesFlags): number => durationMs(timeout ?? "5m");

function readNamed(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(`--token-file cannot be read: ${wordsOf(error)}`);
  }
}

/** A token out of a file: never out of a flag, which every process of the machine can read. */
export function readToken({ host }: Context, path: string): string {
  const token = readNamed(resolve(host.cwd, path)).trim();
  if (!token) throw usageError(`${path} is empty: it must hold the cluster's token`);
  return token;
}
