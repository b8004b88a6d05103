/** One measured number. `ratio` is it over its floor or peer (or over its target where there is no peer). */
export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio: number;
  readonly target: number;
  readonly ok: boolean;
};

export const atMost = (name: string, value: number, unit: string, ratio: number, target: number): Figure => ({
  name,
  value,
  unit,
  ratio,
  target,
  ok: ratio <= target,
});
export const atLeast = (
  name: string,
  value: number,
  unit: string,
  ratio: number,
  target: number,
): Figure => ({ name, value, unit, ratio, target, ok: ratio >= target });

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
