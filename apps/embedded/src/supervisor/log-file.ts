import { copyFile, rename, stat, truncate } from "node:fs/promises";

/**
 * Keeps a log that programs append to below a size: above it the file is copied to `.1` (older ones move to `.2`,
 * `.3`, the oldest goes) and emptied in place, because the writers hold it open.
 */
export async function rotate(path: string, { bytesMax = 10 * 2 ** 20, keep = 3 } = {}): Promise<boolean> {
  const size = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  if (size <= bytesMax) return false;
  for (let n = keep - 1; n >= 1; n--) await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(() => undefined);
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  return true;
}
