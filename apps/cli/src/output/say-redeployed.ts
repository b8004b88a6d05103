import type { Redeployed } from "@starform/contract/services";

const shownMax = 10;

/** What a change re-deployed by itself, a line each; none where it changed nothing that runs. */
export function sayRedeployed(redeployed: readonly Redeployed[]): string[] {
  const rest = redeployed.length - shownMax;
  return [
    ...redeployed
      .slice(0, shownMax)
      .map(
        ({ service, environment, deploymentId }) =>
          `${service} is re-deployed in ${environment}; watch it: starform deployments watch ${deploymentId}`,
      ),
    ...(rest > 0 ? [`and ${rest} more are re-deployed: starform status`] : []),
  ];
}
