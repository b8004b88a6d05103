import { hiddenCharsMin, isHiddenInBuildLogs } from "@starform/contract/variables";
import type { VariableChanges } from "./write-variables.ts";

/** What whoever sets these is told of secrets too short to be hidden: one sentence, or none where all are hidden. */
export function shortSecrets(
  changes: VariableChanges,
  shown: readonly { readonly name: string; readonly isSecret: boolean }[],
): string[] {
  const secrets = new Set(shown.filter(({ isSecret }) => isSecret).map(({ name }) => name));
  const short = Object.entries(changes).flatMap(([name, change]) => {
    const value = (typeof change === "string" ? change : change?.value) ?? "";
    return secrets.has(name) && !isHiddenInBuildLogs(value) ? [name] : [];
  });
  const [are, they] = short.length === 1 ? ["is", "it is"] : ["are", "they are"];
  return short.length === 0
    ? []
    : [
        `${short.join(", ")} ${are} shorter than ${hiddenCharsMin} characters: ${they} not hidden in build logs`,
      ];
}
