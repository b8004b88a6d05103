import { reasonOfPlacement } from "../../../core/reasons.ts";

/** What the scheduler says of nodes, in words for people who do not run clusters. */
const words: readonly (readonly [RegExp, string])[] = [
  [/Insufficient cpu/i, "have too little processor time free"],
  [/Insufficient memory/i, "have too little memory free"],
  [/Insufficient ephemeral-storage/i, "have too little disk free"],
  [/Too many pods/i, "run as many instances as they can"],
  [/node\.kubernetes\.io\/(unreachable|not-ready)/i, "do not answer"],
  // As of 1.36 it does not say which.
  [/untolerated taint\(s\)/i, "are not open to apps, or do not answer"],
  [/untolerated taint|had taint/i, "are not open to apps"],
  [/volume node affinity|volume\(s\)/i, "cannot reach the service's volume"],
  [/affinity|selector|topology/i, "are not where the service's other instances are"],
  [/unschedulable/i, "are being emptied"],
];

/** `0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory. preemption: …` as a sentence. */
export function placementWords(message: string): string {
  const [said = ""] = message.split(/\.? (?:no new claims to deallocate, )?preemption:/);
  if (/persistentvolumeclaim/i.test(said) && /not found|unbound/i.test(said))
    return "the service's volume is not there yet";
  const nodes = Number(/^\d+\/(\d+) nodes/.exec(said)?.[1] ?? Number.NaN);
  if (nodes === 0) return reasonOfPlacement("it has no nodes");
  const parts = [...said.slice(said.indexOf(":") + 1).matchAll(/(\d+) ([^,.]+(?:\{[^}]*\})?[^,]*)/g)].map(
    ([, count = "", what = ""]) => {
      const plain = words.find(([pattern]) => pattern.test(what))?.[1];
      return `${count} of ${Number.isNaN(nodes) ? "the" : nodes} nodes ${plain ?? `say: ${what.trim()}`}`;
    },
  );
  return reasonOfPlacement(parts.length > 0 ? [...new Set(parts)].join(", ") : said);
}
