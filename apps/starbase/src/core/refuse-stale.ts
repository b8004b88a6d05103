import { Fault } from "@starform/std/fault";

/** Whether a change was made over what has this checksum; not given where the caller does not care. */
export type MadeOver = ((checksum: string) => boolean) | undefined;

/** Refuses a change that was made over something older than what stands. Asked under the lock that the change holds. */
export function refuseStale(madeOver: MadeOver, checksum: string, what: string): void {
  if (!madeOver || madeOver(checksum)) return;
  throw new Fault(
    "precondition_failed",
    `${what} changed since you read it: read it again, and make your change over what is there now`,
  );
}
