import { until as untilWithin } from "@starform/std/retry";

/** Waits for a condition with the patience that a loaded machine needs. */
export const until: typeof untilWithin = (what, look, options = {}) =>
  untilWithin(what, look, { withinMs: 45_000, ...options });
