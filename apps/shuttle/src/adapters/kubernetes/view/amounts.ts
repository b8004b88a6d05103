/** Kubernetes' amounts, read: `250m` and `1` as thousandths of a processor, `512Mi`, `1G`, `129e6` as bytes. */

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number an amount stands for; 0 for what is none. */
export function amountOf(quantity: unknown): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(String(quantity ?? ""));
  const factor = factors[match?.[2] ?? "?"];
  return match && factor !== undefined ? Number(match[1]) * factor : 0;
}

/** Rounded up, as the scheduler does. */
export const millisOf = (quantity: unknown): number => Math.ceil(Math.round(amountOf(quantity) * 1e9) / 1e6);
export const bytesOf = (quantity: unknown): number => Math.ceil(amountOf(quantity));
