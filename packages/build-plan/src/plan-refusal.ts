/** Why no plan can be made, told to the person who owns the source. `planSource` turns it into a value. */
export class PlanRefusal extends Error {
  override readonly name = "PlanRefusal";
  readonly lookedFor: readonly string[];
  readonly hint: string;

  constructor(message: string, options: { hint: string; lookedFor?: readonly string[] }) {
    super(message);
    this.lookedFor = options.lookedFor ?? [];
    this.hint = options.hint;
  }
}
