import { isFault, wordsOf } from "@starform/std/fault";
import type { Check, Examination } from "../examination.ts";
import { bootstrapAgain, findingsOf } from "./finding.ts";

const { ok, warning, error } = findingsOf("starbase");
const namespace = "starform-system";
type Shuttle = {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly { readonly env?: readonly { name: string; value?: string }[] }[];
      };
    };
  };
};

/** Whether the token in the cluster opens its desired state, asked from here with the cluster's own settings. */
export const checkStarbase: Check = async (examination) => {
  const { askStarbase } = examination;
  if (!askStarbase) return [];
  const settings = await settingsOf(examination);
  if (!settings) return [error("Shuttle has no settings or no token in this cluster", bootstrapAgain)];
  const { url, clusterId } = settings;
  try {
    const { version, date } = await askStarbase(settings, examination.signal);
    const skewSeconds = date ? Math.round(Math.abs(date.getTime() - examination.now().getTime()) / 1_000) : 0;
    return [
      ok(
        `Starbase takes the token of cluster ${clusterId} at ${url}; desired state is at version ${version}`,
      ),
      ...(skewSeconds > 30
        ? [warning(`Starbase's clock is ${skewSeconds} s from this machine's`, "set both by NTP")]
        : []),
    ];
  } catch (cause) {
    if (isFault(cause, "unauthenticated"))
      return [
        error(
          `Starbase refuses the token of cluster ${clusterId}`,
          `starform clusters rotate-token ${clusterId} --token-file token.txt, then bootstrap with --token-file token.txt`,
        ),
      ];
    if (isFault(cause, "not_found"))
      return [
        error(
          `the token is another cluster's, not ${clusterId}'s`,
          "bootstrap with the right --cluster-id and --token-file",
        ),
      ];
    // The cluster may see what this machine does not, and the other way round.
    return [
      warning(
        `Starbase was not reached from here at ${url}: ${wordsOf(cause)}`,
        "see docs/runbooks/starbase-unreachable.md",
      ),
    ];
  }
};

async function settingsOf({ kube, signal }: Examination) {
  const at = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, namespace, name });
  const deployment = (await kube.get(at("apps/v1", "Deployment", "shuttle"), signal)) as Shuttle | undefined;
  const secret = await kube.get(at("v1", "Secret", "shuttle-token"), signal);
  const env = deployment?.spec?.template?.spec?.containers?.[0]?.env ?? [];
  const valueOf = (name: string) => env.find((each) => each.name === name)?.value;
  const [url, clusterId] = [valueOf("STARFORM_STARBASE_URL"), valueOf("STARFORM_CLUSTER_ID")];
  const token = (secret?.["data"] as { token?: string } | undefined)?.token;
  if (!url || !clusterId || !token) return undefined;
  return { url, clusterId, token: Buffer.from(token, "base64").toString("utf8") };
}
