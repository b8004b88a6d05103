import { statfs } from "node:fs/promises";
import { sayBytes } from "./build-limits.ts";
import { BuildStopped } from "./build-stopped.ts";

/** A build never takes the machine's last space, whatever its own limit. */
export const freeBytesMin = 512 * 2 ** 20;

export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

export const nearlyFull = (freeBytes: number): BuildStopped =>
  new BuildStopped(
    `the build was stopped because this machine's disk is nearly full (${sayBytes(freeBytes)} are left): free some space and deploy again`,
  );
