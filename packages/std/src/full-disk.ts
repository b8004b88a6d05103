/** What the system says of a full disk and of a used-up quota, and Postgres of its own. */
const codes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "53100"]);

/** Whether something failed, at whatever depth, because a disk is full. */
export function isFullDisk(error: unknown): boolean {
  for (let [at, depth] = [error, 0]; at instanceof Error && depth < 8; [at, depth] = [at.cause, depth + 1])
    if (codes.has((at as NodeJS.ErrnoException).code)) return true;
  return false;
}
