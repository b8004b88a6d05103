import { sayDuration } from "@starform/std/duration";

export type Say = (line: string) => void;

/** One step of the start: a line when it is done or failed, with its time, and one now and then while it lasts. */
export async function step<T>(
  say: Say,
  title: string,
  work: () => Promise<T>,
  done: (result: T) => string = () => title,
): Promise<T> {
  const startedAt = performance.now();
  const took = () => sayDuration(performance.now() - startedAt);
  const ticker = setInterval(() => say(`… ${title}  ${took()}`), 5_000);
  try {
    const result = await work();
    say(`✓ ${done(result)}  ${took()}`);
    return result;
  } catch (error) {
    say(`✗ ${title}  ${took()}`);
    throw error;
  } finally {
    clearInterval(ticker);
  }
}
