import { Fault } from "@starform/std/fault";
import type { MetricQuery } from "../../ports/metric-store.ts";

const stepsMax = 11_000;

/** Throws Fault `invalid` for a span of no length, of too many steps, or of steps below a second. */
export function refuseWrongSpan({ from, to, stepSeconds }: MetricQuery): void {
  const steps = (to.getTime() - from.getTime()) / 1_000 / stepSeconds;
  if (!(steps > 0) || steps > stepsMax || !(stepSeconds >= 1))
    throw new Fault(
      "invalid",
      `a series has 1 to ${stepsMax} steps of at least a second, from an earlier to a later time`,
    );
}
