import type { CallOutput } from "@starform/contract/route";
import type { setVariables } from "@starform/contract/variables";
import type { Context } from "../../context.ts";
import { sayRedeployed } from "../../output/say-redeployed.ts";
import type { Target } from "../../target.ts";

/** What a change of variables did, and what was deployed for it. Values are never repeated. */
export function sayChange(
  context: Context,
  target: Target,
  verb: "set" | "deleted",
  names: readonly string[],
  answer: CallOutput<typeof setVariables>,
): void {
  const { deploymentId, redeployed, notes } = answer;
  context.answer(answer, () =>
    [
      `${context.paint("green", "✓")} ${verb} ${names.join(", ")} of ${target.service} in ${target.environment}`,
      deploymentId
        ? `a deployment has begun with them; watch it: starform deployments watch ${deploymentId}`
        : "they take effect with the next deployment",
      ...sayRedeployed(redeployed.filter((each) => each.deploymentId !== deploymentId)),
      ...notes,
    ].join("\n"),
  );
}
