/** The cluster's time. Everything that waits in it waits on this clock, so that a test can move it. */
export type Clock = {
  now(): Date;
  /** Calls back once when that many milliseconds have passed; the answer takes it back. */
  after(ms: number, work: () => void): () => void;
};

export type SteppedClock = Clock & {
  /** When the next callback is due, if one is. */
  next(): Date | undefined;
  /** Moves to that time and runs what is due on the way, in order. */
  moveTo(time: Date): void;
};

/** The time of this machine. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => new Date(),
  after: (ms, work) => {
    const dueAt = Date.now() + ms;
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const leftMs = dueAt - Date.now();
      timer = setTimeout(leftMs > timerMsMax ? wait : work, Math.min(leftMs, timerMsMax));
      timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
};
/** A timer cannot wait longer: what was asked to would be called at once. */
const timerMsMax = 2 ** 31 - 1;

/** A clock that stands still until it is moved. */
export function steppedClock(start: Date): SteppedClock {
  let now = start.getTime();
  let serial = 0;
  const due = new Map<number, { readonly at: number; readonly work: () => void }>();
  const first = (): readonly [number, { readonly at: number; readonly work: () => void }] | undefined =>
    [...due].reduce<readonly [number, { readonly at: number; readonly work: () => void }] | undefined>(
      (best, entry) => (best === undefined || entry[1].at < best[1].at ? entry : best),
      undefined,
    );
  return {
    now: () => new Date(now),
    after: (ms, work) => {
      const id = serial++;
      due.set(id, { at: now + Math.max(0, ms), work });
      return () => due.delete(id);
    },
    next: () => {
      const entry = first();
      return entry && new Date(entry[1].at);
    },
    moveTo: (time) => {
      for (let entry = first(); entry && entry[1].at <= time.getTime(); entry = first()) {
        due.delete(entry[0]);
        now = Math.max(now, entry[1].at);
        entry[1].work();
      }
      now = Math.max(now, time.getTime());
    },
  };
}

/** The same time, whose callbacks are all taken back at once: a cluster that is closed must leave none behind. */
export function closableClock(clock: Clock): Clock & Disposable {
  const pending = new Set<() => void>();
  return {
    now: () => clock.now(),
    after: (ms, work) => {
      const forget = (): void => {
        pending.delete(forget);
        cancel();
      };
      const cancel = clock.after(ms, () => {
        pending.delete(forget);
        work();
      });
      pending.add(forget);
      return forget;
    },
    [Symbol.dispose]: () => {
      for (const forget of pending) forget();
    },
  };
}
