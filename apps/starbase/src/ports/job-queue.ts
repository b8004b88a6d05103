import type { z } from "zod";

/** What a job is. The payload holds identifiers, never copies of state, and is parsed again on arrival. */
export type JobSpec<P> = {
  readonly name: string;
  readonly payload: z.ZodType<P>;
  readonly attemptsMax: number;
  /** Jobs of one queue run one after the other. */
  readonly queue?: (payload: P) => string;
  /** Lower runs first; 0 is usual. */
  readonly priority: number;
};

export const job = <P>(spec: Omit<JobSpec<P>, "priority"> & { priority?: number }): JobSpec<P> => ({
  priority: 0,
  ...spec,
});

export interface JobQueue {
  /**
   * The job runs at least once after the transaction commits, and never if it rolls back. With a `key`, a job of that
   * key that has not begun is replaced: payload and time are the last ones'.
   */
  enqueue<P>(job: JobSpec<P>, payload: NoInfer<P>, options?: { key?: string; runAt?: Date }): Promise<void>;
  /** Takes back the job of that key if it has not begun. */
  cancel(key: string): Promise<void>;
  /** Whether a job of that key is still to run, or runs. */
  isOpen(key: string): Promise<boolean>;
}

/** What a job does. It can run twice, and stops when the signal fires. */
export type JobHandler<P = unknown> = {
  readonly spec: JobSpec<P>;
  readonly run: (payload: P, signal: AbortSignal) => Promise<void>;
  /** Called once when it will not be tried again, with the reason in a sentence. */
  readonly onGiveUp?: (payload: P, reason: string) => Promise<void>;
};

export const handle = <P>(
  spec: JobSpec<P>,
  run: JobHandler<P>["run"],
  onGiveUp?: JobHandler<P>["onGiveUp"],
): JobHandler => ({ spec, run, ...(onGiveUp ? { onGiveUp } : {}) }) as unknown as JobHandler;

/** A job that comes by the clock: five cron fields, UTC. */
export type CronJob = {
  readonly name: string;
  readonly schedule: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

/** Thrown by a handler: no repeat can heal it. A Fault other than `unavailable` and `internal` counts as one too. */
export class CannotHeal extends Error {
  override readonly name = "CannotHeal";
}
