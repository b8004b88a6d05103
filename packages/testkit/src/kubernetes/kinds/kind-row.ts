import type { NameRule, ScalePaths, Strategy } from "./kind.ts";

/** What is said of a built-in kind in a line; the rest follows from its name. */
export type Row = {
  readonly kind: string;
  readonly short?: string;
  readonly plural?: string;
  readonly cluster?: true;
  readonly status?: true;
  readonly generation?: true;
  readonly scale?: ScalePaths;
  readonly names?: NameRule;
  readonly all?: true;
  /** Must say its version when replaced. */
  readonly strict?: true;
  readonly fields?: readonly string[];
  readonly strategy?: Strategy;
};
