import { readFileSync } from "node:fs";

const settings = "/proc/sys/net/ipv4/ip_local_port_range";

/** The ports that this system gives to outgoing connections, first and last; undefined where it does not say. */
export function outgoingPorts(file = settings): readonly [number, number] | undefined {
  try {
    const [first, last] = readFileSync(file, "utf8").trim().split(/\s+/).map(Number);
    return first && last ? [first, last] : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with ports from `base` to `last`, when any connection of the machine may be given one of them. */
export function outgoingClash(base: number, last: number, range = outgoingPorts()): string | undefined {
  if (!range || last < range[0] || base > range[1]) return undefined;
  const [first, end] = range;
  const below = first - (last - base) - 1;
  const way =
    below >= 1_024 ? `--port-base ${below} or lower is safe` : `--port-base ${end + 1} or higher is safe`;
  return `- The ports ${base} to ${last} lie among those that this system gives to outgoing connections (${first} to ${end}): one may be taken when a process needs it. ${way}`;
}
