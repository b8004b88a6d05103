import type { Check } from "../examination.ts";
import { fieldManager } from "../ownership.ts";
import { findingsOf } from "./finding.ts";

const { ok, warning } = findingsOf("clocks");
/** Tokens and certificates forgive half a minute; usage is counted by the minute. */
const skewSecondsMax = 30;

/** The API server's clock against this machine's. The server stamps even what it does not keep. */
export const checkClocks: Check = async ({ kube, now, signal }) => {
  const before = now().getTime();
  const stamped = await kube.apply(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "starform-doctor", namespace: "kube-system" } },
    { fieldManager, dryRun: true },
    signal,
  );
  const theirs = Date.parse(stamped.metadata.creationTimestamp ?? "");
  // It tells whole seconds, cut off: half a second is added, and half the way there and back.
  const skewSeconds = Math.round((theirs + 500 - (before + now().getTime()) / 2) / 1_000);
  if (!Number.isFinite(skewSeconds)) throw new Error("the API server does not say when");
  return [
    Math.abs(skewSeconds) <= skewSecondsMax
      ? ok(`the cluster's clock is ${Math.abs(skewSeconds)} s from this machine's`)
      : warning(
          `the cluster's clock is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? "ahead of" : "behind"} this machine's`,
          "set both by NTP: with a wrong clock TLS fails and minutes are billed to the wrong hour",
        ),
  ];
};
