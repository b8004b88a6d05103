/** How one replica has crashed lately. */
export type Crashes = { readonly count: number; readonly notBeforeMs: number };

const [firstMs, maxMs] = [1_000, 60_000];
/** An instance that stayed ready this long has recovered: the next crash counts as the first. */
export const recoveredAfterMs = 60_000;

/** The book after one more crash at `nowMs` of an instance that had been ready for `readyForMs`. */
export function afterCrash(crashes: Crashes | undefined, readyForMs: number, nowMs: number): Crashes {
  const count = readyForMs >= recoveredAfterMs ? 1 : (crashes?.count ?? 0) + 1;
  return { count, notBeforeMs: nowMs + Math.min(maxMs, firstMs * 2 ** (count - 1)) };
}
