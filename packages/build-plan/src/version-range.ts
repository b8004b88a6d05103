/**
 * Picks the line of releases that a range allows: `pickLine(">=22", ["22", "24"])` is "22". Lines are in order of
 * preference. A version that is already exact ("22.3.0", "v3.12") is returned as it is; undefined if none fits.
 */
export function pickLine(range: string, lines: readonly string[]): string | undefined {
  const text = range.trim().slice(0, 200);
  const exact = /^[v=]*\s*(\d+(?:\.\d+){0,2})(?:\.[x*])*(?:[-+][\w.-]+)?$/.exec(text);
  if (exact) return exact[1];
  const alternatives = text
    .split("||")
    .map(comparators)
    .filter((tests) => tests.length > 0);
  const line = lines.find((candidate) =>
    alternatives.some((tests) => tests.every((test) => test(newestOf(candidate)))),
  );
  return line ?? firstNumber(text);
}

type Version = readonly [number, number, number];

/** The newest release a line can hold: a line fits a range when its newest release does. */
const newestOf = (line: string): Version => {
  const [major = 0, minor = 9999, patch = 9999] = line.split(".").map(Number);
  return [major, minor, patch];
};

/** "~22.3.1" allows no whole line, so what it starts with is the answer. */
const firstNumber = (text: string): string | undefined =>
  /(?:~>|[~^=]{1,2})\s*v?(\d+(?:\.\d+)?)/.exec(text)?.[1];

function comparators(text: string): ((version: Version) => boolean)[] {
  const hyphen = /^\s*v?(\d[\d.x*]*)\s+-\s+v?(\d[\d.x*]*)\s*$/.exec(text);
  if (hyphen) return [compare(">=", hyphen[1]!), compare("<=", hyphen[2]!)];
  return [...text.matchAll(/(>=|<=|~>|~=|==|!=|>|<|\^|~|=)?\s*v?(\d+(?:\.(?:\d+|[x*]))*)/g)].map(
    ([, operator, version]) => compare(operator ?? "=", version!),
  );
}

function compare(operator: string, text: string): (version: Version) => boolean {
  const parts = text
    .split(".")
    .filter((part) => /^\d+$/.test(part))
    .map(Number);
  const [floor, ceiling] = [pad(parts, 0), pad(parts, 9999)];
  if (operator === ">=") return (version) => order(version, floor) >= 0;
  if (operator === ">") return (version) => order(version, ceiling) > 0;
  if (operator === "<=") return (version) => order(lowered(version), ceiling) <= 0;
  if (operator === "<") return (version) => order(lowered(version), floor) < 0;
  if (operator === "!=") return () => true;
  const keep =
    { "^": 1, "~>": Math.max(1, parts.length - 1), "~=": Math.max(1, parts.length - 1), "~": 2 }[operator] ??
    parts.length;
  return (version) =>
    order(version, floor) >= 0 && parts.slice(0, keep).every((part, index) => part === version[index]);
}

/** An upper bound inside a line still allows the line: what is compared is its oldest release. */
const lowered = ([major, minor, patch]: Version): Version => [
  major,
  minor === 9999 ? 0 : minor,
  patch === 9999 ? 0 : patch,
];
const pad = (parts: readonly number[], fill: number): Version => [
  parts[0] ?? fill,
  parts[1] ?? fill,
  parts[2] ?? fill,
];
const order = (a: Version, b: Version): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
