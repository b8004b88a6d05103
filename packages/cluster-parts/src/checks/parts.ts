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

/** The only finding of a cluster that nobody has bootstrapped. */
export const nothingHere = error(
  "nothing of Starform is here",
  "starform cluster bootstrap brings it, with the same kubeconfig",
);

/**
 * Whether everything that a bootstrap brings is there, is ours, is of this release, and is ready. What is missing of one
 * part is one finding.
 */
export const checkParts: Check = async (examination) => {
  const looked: Looked[] = [];
  for (const step of steps) looked.push(await lookAt(examination, step));
  const due = looked.filter(({ leftOut, step }) => leftOut === undefined && !isOptional(step));
  if (due.every(({ found }) => found.every(({ object }) => !object))) return [nothingHere];
  const findings: Finding[] = [];
  for (const each of looked) findings.push(...(await findingsAbout(examination, each)));
  return findings;
};

type Looked = {
  readonly step: Step;
  /** Why it is left out here, if it is. */
  readonly leftOut: string | undefined;
  readonly found: readonly { readonly manifest: KubeObject; readonly object: KubeObject | undefined }[];
};

async function lookAt({ facts, kube, askStarbase, signal }: Examination, step: Step): Promise<Looked> {
  const leftOut = step.leftOut?.({ ...anyParameters, runsShuttle: askStarbase !== undefined }, facts);
  if (leftOut) return { step, leftOut, found: [] };
  const wanted = render(step, anyParameters, facts);
  const found = await Promise.all(
    wanted.map(async (manifest) => ({ manifest, object: await kube.get(refOf(manifest), signal) })),
  );
  return { step, leftOut: undefined, found };
}

async function findingsAbout(
  examination: Examination,
  { step, leftOut, found }: Looked,
): Promise<readonly Finding[]> {
  if (leftOut) return [ok(`${step.brings}: left out, ${leftOut}`)];
  const lost = found.flatMap(({ manifest, object }) => (object ? [] : [nameOf(manifest)]));
  const isWhollyLost = lost.length === found.length;
  if (isWhollyLost && isOptional(step))
    return [
      warning(
        `${step.brings}: not here`,
        "bootstrap with --region-file to send logs and metrics to the region",
      ),
    ];
  if (isWhollyLost) return [error(`${step.brings}: nothing of it is here`, bootstrapAgain)];
  const problems = [
    ...(lost.length > 0 ? [error(`${step.brings}: ${sayNames(lost)} missing`, bootstrapAgain)] : []),
    ...(await problemsOf(examination, found)),
  ];
  return problems.length > 0
    ? problems
    : [ok(`${step.brings}: all ${found.length} objects are as they should be`)];
}

const namedMax = 5;
const sayNames = (names: readonly string[]): string =>
  names.length === 1
    ? `${names[0]} is`
    : names.length > namedMax
      ? `${names.slice(0, namedMax).join(", ")} and ${names.length - namedMax} more are`
      : `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are`;

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

async function problemsOf({ kube, signal }: Examination, found: Looked["found"]): Promise<Finding[]> {
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
