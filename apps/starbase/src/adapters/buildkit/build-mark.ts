import { createHash } from "node:crypto";

/**
 * The name in the `/etc/hosts` of a step whose address says which build it belongs to. Of all that a build can give its
 * steps this alone tells them apart and is in no key of the cache. A step cannot change it, and not show another's; one
 * that mounts something of its own there is refused (`lookAtGraph`).
 */
export const markName = "build.starform.internal";

/** A build's own address: one that nobody routes. No group of it begins with a zero, so that it is written in one way. */
export function markOf(buildId: string): string {
  const bytes = createHash("sha256").update(buildId).digest();
  const groups = Array.from({ length: 7 }, (_, at) => (bytes.readUInt16BE(2 * at) | 0x8000).toString(16));
  return ["fd5f", ...groups].join(":");
}
