import { isFault, wordsOf } from "@starform/std/fault";
import type { Check, Examination } from "../examination.ts";
import { bootstrapAgain, findingsOf } from "./finding.ts";
import { shuttleSettings } from "./shuttle-settings.ts";

const { ok, warning, error } = findingsOf("starbase");

/** Whether the token in the cluster opens its desired state, asked from here with the cluster's own settings. */
export const checkStarbase: Check = async (examination) => {
  const { askStarbase } = examination;
  if (!askStarbase) return [];
  const settings = await settingsOf(examination);
  if (!settings) return [error("Shuttle has no settings or no token in this cluster", bootstrapAgain)];
  const { verifies, ...asked } = settings;
  const { url, clusterId } = asked;
  try {
    const { version, date } = await askStarbase(asked, examination.signal);
    const skewSeconds = date ? Math.round(Math.abs(date.getTime() - examination.now().getTime()) / 1_000) : 0;
    return [
      ok(
        `Starbase takes the token of cluster ${clusterId} at ${url}; desired state is at version ${version}`,
      ),
      ...(skewSeconds > 30
        ? [warning(`Starbase's clock is ${skewSeconds} s from this machine's`, "set both by NTP")]
        : []),
      ...(verifies
        ? []
        : [
            warning(
              "Shuttle believes what Starbase decides without its signature",
              "bootstrap with --signing-keys: clusters create and clusters rotate-token tell them with --json, where Starbase has a key",
            ),
          ]),
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

async function settingsOf(examination: Examination) {
  const valueOf = await shuttleSettings(examination);
  const secret = await examination.kube.get(
    { apiVersion: "v1", kind: "Secret", namespace: "starform-system", name: "shuttle-token" },
    examination.signal,
  );
  const [url, clusterId] = [valueOf("STARBASE_URL"), valueOf("CLUSTER_ID")];
  const token = (secret?.["data"] as { token?: string } | undefined)?.token;
  if (!url || !clusterId || !token) return undefined;
  const verifies = valueOf("SIGNING_KEYS") !== undefined;
  return { url, clusterId, verifies, token: Buffer.from(token, "base64").toString("utf8") };
}
