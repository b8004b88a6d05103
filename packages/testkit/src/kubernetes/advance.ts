import type { Clock, SteppedClock } from "./clock.ts";
import type { Runtime } from "./controllers/runtime.ts";

const isStepped = (clock: Clock): clock is SteppedClock => "moveTo" in clock;

/** Moves a stepped clock, stopping wherever something is due and letting the controllers do it. */
export async function advance(clock: Clock, ms: number, runtime: Runtime): Promise<void> {
  if (!isStepped(clock)) throw new Error("only a steppedClock can be moved: open the cluster with one");
  const end = new Date(clock.now().getTime() + ms);
  await runtime.settle();
  for (let next = clock.next(); next && next <= end; next = clock.next()) {
    clock.moveTo(next);
    await runtime.settle();
  }
  clock.moveTo(end);
  await runtime.settle();
}
