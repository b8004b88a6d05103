/** Exact arithmetic on quantities, in nano-units: 1n is 0.000000001. */
const decimal: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1_000n,
  m: 1_000_000n,
  "": 1_000_000_000n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
};
const binary: Readonly<Record<string, bigint>> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};
const one = 1_000_000_000n;
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/;

/** The few texts that a cluster says again and again. */
const parsed = new Map<string, bigint | undefined>();
const parsedMax = 1000;

/** The amount in nano-units, or undefined when the text is no quantity; fractions below a nano are rounded up. */
export function parseQuantity(text: string | number): bigint | undefined {
  const key = String(text);
  if (parsed.has(key)) return parsed.get(key);
  if (parsed.size >= parsedMax) parsed.clear();
  const amount = readQuantity(key.trim());
  parsed.set(key, amount);
  return amount;
}

function readQuantity(text: string): bigint | undefined {
  const match = pattern.exec(text);
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match ?? [];
  if (!match || (whole === "" && fraction === "")) return undefined;
  const digits = BigInt(whole + fraction || "0");
  const [by, over] = scaleOf(suffix);
  const divisor = 10n ** BigInt(fraction.length) * over;
  const amount = (digits * by + divisor - 1n) / divisor;
  return sign === "-" ? -amount : amount;
}

function scaleOf(suffix: string): readonly [bigint, bigint] {
  const known = decimal[suffix] ?? (binary[suffix] && binary[suffix] * one);
  if (known !== undefined) return [known, 1n];
  const exponent = Number(suffix.slice(1));
  return exponent >= 0 ? [one * 10n ** BigInt(exponent), 1n] : [one, 10n ** BigInt(-exponent)];
}

const biggest = (amount: bigint, units: Readonly<Record<string, bigint>>): string | undefined =>
  Object.entries(units)
    .toReversed()
    .find(([, unit]) => amount % unit === 0n)?.[0];

/** The one way Kubernetes writes an amount: "1000m" is "1", "1024Mi" is "1Gi", "0.5" is "500m". Other text stays. */
export function canonicalQuantity(text: string | number): string {
  const amount = parseQuantity(text);
  if (amount === undefined) return String(text);
  return formatQuantity(amount, /[KMGTPE]i$/.test(String(text)) ? "binary" : "decimal");
}

export function formatQuantity(amount: bigint, format: "binary" | "decimal"): string {
  if (amount === 0n) return "0";
  if (format === "binary" && amount % one === 0n && (amount >= 1024n * one || amount <= -1024n * one)) {
    const whole = amount / one;
    const unit = biggest(whole, binary);
    return unit ? `${whole / (binary[unit] ?? 1n)}${unit}` : String(whole);
  }
  if (format === "binary" && amount % one === 0n) return String(amount / one);
  const unit = biggest(amount, decimal) ?? "n";
  return `${amount / (decimal[unit] ?? 1n)}${unit}`;
}

/** The amount as a float, for shares and sums that need no exactness. */
export const quantityNumber = (text: string | number | undefined): number =>
  Number(parseQuantity(text ?? "0") ?? 0n) / 1e9;
