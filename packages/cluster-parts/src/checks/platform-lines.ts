import type { Check } from "../examination.ts";
import { findingsOf } from "./finding.ts";
import { shuttleSettings } from "./shuttle-settings.ts";

const { ok, warning } = findingsOf("platform lines");

/** Whether Shuttle tells the apps' logs what became of them, where Fluent Bit sends there what they say. */
export const checkPlatformLines: Check = async (examination) => {
  const { kube, askStarbase, signal } = examination;
  const agent = { apiVersion: "apps/v1", kind: "DaemonSet", namespace: "starform-nodes", name: "fluent-bit" };
  if (!askStarbase || !(await kube.get(agent, signal))) return [];
  const url = (await shuttleSettings(examination))("LOGS_URL");
  return [
    url
      ? ok(`Shuttle tells the apps' logs at ${url} what became of them`)
      : warning(
          "that an app crashed, or was killed, is not told in its log: Shuttle does not know where the region takes lines in",
          "bootstrap with --region-file, the region's",
        ),
  ];
};
