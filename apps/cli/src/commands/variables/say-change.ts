import type { Context } from "../../context.ts";
import type { Target } from "../../target.ts";

/** What a change of variables did, and whether something was deployed for it. Values are never repeated. */
export function sayChange(
  context: Context,
  target: Target,
  verb: "set" | "deleted",
  names: readonly string[],
  deploymentId: string | null,
  answer: unknown,
): void {
  context.answer(answer, () =>
    [
      `${context.paint("green", "✓")} ${verb} ${names.join(", ")} of ${target.service} in ${target.environment}`,
      deploymentId
        ? `a deployment has begun with them; watch it: starform deployments watch ${deploymentId}`
        : "they take effect with the next deployment",
    ].join("\n"),
  );
}
