import type { KnownDifference } from "./known-differences.ts";

export type Difference = { readonly side: "only Railpack" | "only here"; readonly line: string };

/** What one of two plans does and the other does not, and whether what both do is in the same order. */
export function compareFacts(
  theirs: readonly string[],
  ours: readonly string[],
): { readonly differences: readonly Difference[]; readonly isInOrder: boolean } {
  const [both, shared] = [
    theirs.filter((line) => ours.includes(line)),
    ours.filter((line) => theirs.includes(line)),
  ];
  return {
    differences: [
      ...theirs
        .filter((line) => !ours.includes(line))
        .map((line) => ({ side: "only Railpack", line }) as const),
      ...ours.filter((line) => !theirs.includes(line)).map((line) => ({ side: "only here", line }) as const),
    ],
    isInOrder: both.join("\n") === shared.join("\n"),
  };
}

/** The difference that the list says this is. */
export const knownAs = (
  example: string,
  { side, line }: Difference,
  known: readonly KnownDifference[],
): KnownDifference | undefined =>
  known.find(({ of, there, here }) => {
    const pattern = side === "only Railpack" ? there : here;
    return of.test(example) && pattern?.test(line);
  });
