import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Fault } from "@starform/std/fault";
import type { Say } from "../platform/progress.ts";

export type SeenCluster = { readonly kubernetesVersion: string; readonly kubeconfigFile: string };

/** As `starform cluster doctor --json` tells it. */
type Finding = {
  readonly check: string;
  readonly level: "ok" | "warning" | "error";
  readonly says: string;
  readonly mend?: string;
};
type Diagnosis = { readonly kubernetesVersion: string; readonly findings: readonly Finding[] };

/** What a Shuttle cannot do without. Else an error is told, and the start goes on: it may be what Shuttle itself mends. */
const blocking: readonly string[] = ["versions", "parts", "labels", "rights", "owner"];
const withinMs = 120_000;

/**
 * Has the doctor look whether Shuttle can work on the cluster of a kubeconfig; nothing is changed. Rejects with a Fault in
 * the doctor's words, and how to mend it: no answer, no rights, no parts, or another's Shuttle. `clusterId` is the one that
 * the data directory knows it as; undefined where it begins anew.
 */
export async function lookAtCluster(
  kubeconfigFile: string,
  at: { root: string; clusterId: string | undefined; say: Say; signal: AbortSignal },
): Promise<SeenCluster> {
  const { kubernetesVersion, findings } = await diagnosisOf(kubeconfigFile, at);
  const wrong = findings.filter(({ level }) => level === "error");
  const stops = wrong.filter(isBlocking);
  const foreign = stops.find(({ check }) => check === "owner");
  if (foreign) throw new Fault("conflict", `${foreign.says}: ${foreign.mend}`);
  if (stops.length > 0) throw new Fault("unavailable", sayLack(kubeconfigFile, stops));
  for (const { check, says, mend } of wrong) at.say(`! ${check}: ${says}${mend ? ` (${mend})` : ""}`);
  return { kubernetesVersion, kubeconfigFile };
}

const isBlocking = ({ check }: Finding): boolean => blocking.includes(check);

/** The same command that a person would ask. */
async function diagnosisOf(
  kubeconfigFile: string,
  { root, clusterId, signal }: { root: string; clusterId: string | undefined; signal: AbortSignal },
): Promise<Diagnosis> {
  const words = ["cluster", "doctor", "--without-shuttle", "--json", "--kubeconfig", kubeconfigFile];
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      join(root, "apps/cli/bin/starform.ts"),
      ...words,
      "--cluster-id",
      clusterId ?? "none",
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    },
  );
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => (said[name] += text));
  const [code] = (await once(child, "close")) as [number | null];
  // It ends with 1 where something is wrong, and has told all of it.
  if (said.stdout.trim() !== "") return JSON.parse(said.stdout) as Diagnosis;
  throw new Fault(
    "unavailable",
    `the cluster of ${kubeconfigFile} cannot be used (${code}): ${said.stderr.trim() || "the doctor said nothing"}\nIs it running, and reachable from here? kubectl --kubeconfig ${kubeconfigFile} get nodes must work, with an administrator's rights.`,
  );
}

const shownMax = 8;

function sayLack(file: string, findings: readonly Finding[]): string {
  const lines = findings.slice(0, shownMax).map(({ check, says }) => `  ✗ ${check}: ${says}`);
  const more = findings.length > shownMax ? [`  … and ${findings.length - shownMax} more`] : [];
  const mend = findings.some(({ check }) => check === "rights")
    ? "Use a kubeconfig of the cluster's administrator."
    : `Bring what is missing: ./starform cluster bootstrap --without-shuttle --kubeconfig ${file}`;
  const again = `Look again: ./starform cluster doctor --without-shuttle --kubeconfig ${file}`;
  return [`the cluster of ${file} is not ready for Shuttle:`, ...lines, ...more, mend, again].join("\n");
}
