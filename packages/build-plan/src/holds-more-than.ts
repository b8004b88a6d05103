/** Whether a parsed value holds more values than so many, itself included; counting stops there. */
export function holdsMoreThan(value: unknown, max: number): boolean {
  const open = [value];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    count += 1;
    if (count + open.length > max) return true;
    if (typeof next === "object" && next !== null) open.push(...Object.values(next).slice(0, max));
  }
  return count > max;
}
