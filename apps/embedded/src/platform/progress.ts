import { sayDuration } from "@starform/std/duration";

export type Say = (line: string) => void;

/** One step of the start: a line when it is done or failed, with its time, and ever rarer ones while it lasts. */
export async function step<T>(
  say: Say,
  title: string,
  work: () => Promise<T>,
  done: (result: T) => string = () => title,
): Promise<T> {
  const startedAt = performance.now();
  const took = () => sayDuration(performance.now() - startedAt);
  let ticker: NodeJS.Timeout | undefined;
  const tick = (afterMs: number): void => {
    ticker = setTimeout(() => {
      say(`… ${title}  ${took()}`);
      tick(afterMs * 2);
    }, afterMs);
  };
  tick(2_000);
  try {
    const result = await work();
    say(`✓ ${done(result)}  ${took()}`);
    return result;
  } catch (error) {
    say(`✗ ${title}  ${took()}`);
    throw error;
  } finally {
    clearTimeout(ticker);
  }
}
