import type { Plan } from "./plans.ts";

/** Of each place (a service in one environment) so many of the last successful deployments can be rolled back to, however old. */
export const rollBackLast = 10;

/** What a workspace's images may take. */
export type ImageAllowance = {
  /** What has served within so many days can be rolled back to, too. */
  readonly rollBackDays: number;
  /** An image that nothing can be rolled back to is kept for so many days after its last use. */
  readonly restDaysMax: number;
  /** All images together, as their stores count; beyond it the rest goes before its days are over. */
  readonly bytesMax: number;
};

const gib = 2 ** 30;

/** The one table of what each plan grants; Starbase enforces it. */
export const imageAllowances: Readonly<Record<Plan, ImageAllowance>> = {
  trial: { rollBackDays: 7, restDaysMax: 3, bytesMax: 5 * gib },
  hobby: { rollBackDays: 30, restDaysMax: 7, bytesMax: 20 * gib },
  pro: { rollBackDays: 30, restDaysMax: 14, bytesMax: 100 * gib },
  scale: { rollBackDays: 30, restDaysMax: 14, bytesMax: 500 * gib },
};
