import type { ServiceHealth } from "./services.ts";

const dayMs = 86_400_000;

/** Why it is not well, and indented below it what it said last. Empty where nothing is wrong. */
export const sayTrouble = ({
  reason,
  lastLines = [],
}: Pick<ServiceHealth, "reason" | "lastLines">): string[] =>
  reason === null ? [] : [[reason, ...lastLines.map((line) => `    ${line}`)].join("\n")];

/**
 * What people did on the cluster itself, a sentence each: that they hold the service at an earlier version, and the last
 * thing of the last day that was changed by hand and put back. Empty where nobody did anything.
 */
export function sayByHand({ heldBack, putBack = [] }: ServiceHealth, now: Date): string[] {
  const last = putBack.findLast(({ at }) => now.getTime() - Date.parse(at) < dayMs);
  return [
    ...(heldBack
      ? [`held at version ${heldBack.fromVersion} on the cluster by ${heldBack.by} since ${heldBack.at}`]
      : []),
    ...(last ? [sayPutBack(last)] : []),
  ];
}

function sayPutBack({ object, what, fields, by, at }: NonNullable<ServiceHealth["putBack"]>[number]): string {
  const where = fields.length > 0 ? ` (${fields.join(", ")})` : "";
  return `${object} was ${what} by hand${where}${by ? ` with ${by}` : ""} at ${at}, and put back`;
}
