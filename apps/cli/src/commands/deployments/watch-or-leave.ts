import type { Deployment } from "@starform/contract/deployments";
import type { Api, Context } from "../../context.ts";
import { resultOf, watchDeployment } from "../../deploy/watch-deployment.ts";
import { flagFor, type Target } from "../../target.ts";

/** Waits for a deployment that was just begun, or (detached) says how to come back to it. */
export async function watchOrLeave(
  context: Context,
  api: Api,
  target: Target,
  deployment: Deployment,
  isDetached: boolean,
): Promise<number> {
  if (!isDetached) return watchDeployment(context, api, target, deployment);
  context.progress.end();
  const { service, number, url } = deployment;
  if (context.isJson) context.jsonLine(resultOf(deployment));
  context.say(
    `${service} #${number} has begun; watch it: starform deployments watch ${number}${flagFor(context, service)}`,
  );
  if (url) context.say(url);
  return 0;
}
