/** Who of several Shuttles of one cluster acts. */
export interface Leadership {
  /**
   * Runs `lead` while this process is the leader and again each time it becomes so; the signal ends when leadership is lost or
   * the whole is stopped, and nobody else leads before `lead` had its time to end. Resolves when `signal` fires.
   */
  run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** A Shuttle alone leads always. */
export const alone: Leadership = { run: (lead, signal) => lead(signal) };
