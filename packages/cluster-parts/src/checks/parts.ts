import type { KubeObject } from "@starform/kubernetes/kube-api";
import { refOf } from "../apply-ours.ts";
import type { ClusterFacts } from "../cluster-facts.ts";
import type { Check, Examination, Finding } from "../examination.ts";
import { isOurs, nameOf } from "../ownership.ts";
import { RegionSettings, type ClusterParameters } from "../parameters.ts";
import { missingOf } from "../readiness.ts";
import { render } from "../render.ts";
import { steps, type Step } from "../steps.ts";
import { bootstrapAgain, findingsOf } from "./finding.ts";

const { ok, warning, error } = findingsOf("parts");

/** Names and kinds do not depend on parameters: what there should be is rendered with stand-ins, which are never shown. */
const anyParameters: ClusterParameters = {
  clusterId: "00000000-0000-7000-8000-000000000000",
  region: "any",
  token: "stand-in",
  starbaseUrl: "https://starbase.example",
  endpoints: {
    logs: { url: "https://logs.example", token: "stand-in" },
    metrics: { url: "https://metrics.example", token: "stand-in" },
    monitoring: { url: "https://monitoring.example", user: "any", password: "stand-in" },
  },
  settings: RegionSettings.parse({}),
  runsShuttle: true,
  images: {},
};

/** Whether everything that a bootstrap brings is there, is ours, is of this release, and is ready. */
export const checkParts: Check = async (examination) => {
  const findings: Finding[] = [];
  for (const step of steps) findings.push(...(await checkStep(examination, step)));
  return findings;
};

async function checkStep(examination: Examination, step: Step): Promise<Finding[]> {
  const { facts, kube, signal } = examination;
  const reason = step.leftOut?.(
    { ...anyParameters, runsShuttle: examination.askStarbase !== undefined },
    facts,
  );
  if (reason) return [ok(`${step.brings}: left out, ${reason}`)];
  const wanted = render(step, anyParameters, facts);
  const found = await Promise.all(
    wanted.map(async (manifest) => ({ manifest, object: await kube.get(refOf(manifest), signal) })),
  );
  const lost = found.filter(({ object }) => !object);
  if (lost.length === wanted.length && isOptional(step))
    return [
      warning(
        `${step.brings}: not here`,
        "bootstrap with --region-file to send logs and metrics to the region",
      ),
    ];
  const problems = [
    ...lost.map(({ manifest }) => error(`${nameOf(manifest)} is missing`, bootstrapAgain)),
    ...(await problemsOf(examination, found)),
  ];
  return problems.length > 0
    ? problems
    : [ok(`${step.brings}: all ${wanted.length} objects are as they should be`)];
}

/** What depends on addresses that not every cluster has. */
const isOptional = ({ leftOut }: Step): boolean =>
  leftOut?.({ ...anyParameters, endpoints: undefined }, noFacts) !== undefined;
const noFacts: ClusterFacts = {
  kubernetesVersion: "",
  nodes: 0,
  hasSelfSignedKubelets: false,
  defaultStorageClass: undefined,
  hasShuttleVolume: false,
  foreignMetricsApi: undefined,
  foreignGatewayApi: [],
};

async function problemsOf(
  { kube, signal }: Examination,
  found: readonly { readonly manifest: KubeObject; readonly object: KubeObject | undefined }[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { manifest, object } of found) {
    if (!object) continue;
    if (!isOurs(object))
      findings.push(
        error(`${nameOf(object)} is there, and is not Starform's`, "remove it, then bootstrap again"),
      );
    const missing = await missingOf(kube, object, signal);
    if (missing) findings.push(error(missing.sentence, "see the page of the part in docs/runbooks"));
    const [is, should] = [imagesOf(object), imagesOf(manifest)];
    if (is.join() !== should.join())
      findings.push(
        warning(
          `${nameOf(object)} runs ${is.join(", ")}; this release brings ${should.join(", ")}`,
          bootstrapAgain,
        ),
      );
  }
  return findings;
}

function imagesOf(object: KubeObject): readonly string[] {
  const spec = object["spec"] as
    | { template?: { spec?: { containers?: readonly { image?: string }[] } } }
    | undefined;
  return spec?.template?.spec?.containers?.map(({ image = "" }) => image) ?? [];
}
