import type { ResolvedGroup } from "../variables/book.ts";
import type { SecretBox, Sealed } from "../variables/ports.ts";

/** Every variable a deployment runs with, as it was resolved when it was made. */
export type VariableSnapshot = {
  readonly injected: Readonly<Record<string, string>>;
  readonly groups: readonly ResolvedGroup[];
};

export const sealSnapshot = (box: SecretBox, snapshot: VariableSnapshot): Sealed =>
  box.seal(JSON.stringify(snapshot));
export const openSnapshot = (box: SecretBox, sealed: Sealed): VariableSnapshot =>
  JSON.parse(box.open(sealed)) as VariableSnapshot;

/** Name to keyed digest of the value that wins. */
export const snapshotDigests = (box: SecretBox, { groups }: VariableSnapshot): Record<string, string> =>
  Object.fromEntries(
    groups.flatMap((group) => group.variables.map(({ name, value }) => [name, box.digest(value)])),
  );
