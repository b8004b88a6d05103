import type { KubeApi, KubeObject } from "@starform/kubernetes/kube-api";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { driven } from "../cluster.contract.ts";
import { aService, redeployed } from "../desired.ts";
import { openKubernetesContractRig } from "./contract-rig.ts";

/** Applies Deployments whose containers are told to end at once. */
const withoutPreStop = (api: KubeApi): KubeApi => ({
  ...api,
  apply: (object, ...rest) =>
    api.apply(
      JSON.parse(
        JSON.stringify(object, (name, value: unknown) => (name === "lifecycle" ? undefined : value)),
      ) as KubeObject,
      ...rest,
    ),
});

/** What visitors did not get while two versions replaced the one before, behind a proxy that hears late of what leaves. */
async function lost(through?: (api: KubeApi) => KubeApi): Promise<readonly string[]> {
  await using rig = await openKubernetesContractRig(through);
  await using cluster = await rig.open("leave");
  await using hand = driven(cluster);
  const image = await rig.image("node server.mjs");
  let service = hand.want(aService({ image, env: { VERSION: "1" }, replicas: 2 }));
  await hand.reaches(service, "running");
  const [answers, ending] = [[] as string[], new AbortController()];
  const visitors = Array.from({ length: 4 }, async () => {
    while (!ending.signal.aborted)
      answers.push(await rig.ask(service, "/").catch((error: unknown) => `failed: ${String(error)}`));
  });
  for (const version of ["2", "3"]) {
    service = hand.want(redeployed(service, { env: { VERSION: version } }));
    await hand.reaches(service, "running");
    await until("only it answers", () =>
      answers.slice(-50).every((answer) => answer.startsWith(`version ${version}`)),
    );
  }
  ending.abort();
  await Promise.all(visitors);
  expect(answers.length).toBeGreaterThan(100);
  return answers.filter((answer) => !answer.startsWith("version"));
}

test("with the time to leave that a pod has, no request is lost", async () => {
  expect(await lost()).toEqual([]);
});

test("without it some are: the proxy of these tests can tell", async () => {
  expect(await lost(withoutPreStop)).not.toEqual([]);
});
