import { randomBytes } from "node:crypto";

let [lastMs, count] = [0, 0];
const countMax = 0xfff;

/**
 * A UUID of version 7: 48 bits of the clock, 12 that count those this process made in one millisecond, then random, so that
 * ids sort as they were made.
 */
export function uuid(nowMs = Date.now()): string {
  count = nowMs === lastMs ? Math.min(count + 1, countMax) : 0;
  lastMs = nowMs;
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | count, 6);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const isUuid = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);
