import { z } from "zod";

export const Plan = z.enum(["trial", "hobby", "pro", "scale"]);
export type Plan = z.infer<typeof Plan>;

/** What a workspace's builds may use. Of one build, but for `atOnceMax`. */
export type BuildAllowance = {
  /** Builds of the workspace that run at the same time. */
  readonly atOnceMax: number;
  readonly wallClockMs: number;
  readonly cpuMillisMax: number;
  readonly memoryBytesMax: number;
  /** The work tree, its temporary files and what the build adds to its caches, together. */
  readonly diskBytesMax: number;
  readonly processesMax: number;
};

const minutes = 60_000;
const gib = 2 ** 30;

/** The one table of what each plan grants its builds; Starbase enforces it, the docs and screens read it. */
export const buildAllowances: Readonly<Record<Plan, BuildAllowance>> = {
  trial: {
    atOnceMax: 1,
    wallClockMs: 20 * minutes,
    cpuMillisMax: 2_000,
    memoryBytesMax: 4 * gib,
    diskBytesMax: 10 * gib,
    processesMax: 2_048,
  },
  hobby: {
    atOnceMax: 2,
    wallClockMs: 20 * minutes,
    cpuMillisMax: 2_000,
    memoryBytesMax: 4 * gib,
    diskBytesMax: 10 * gib,
    processesMax: 2_048,
  },
  pro: {
    atOnceMax: 4,
    wallClockMs: 40 * minutes,
    cpuMillisMax: 4_000,
    memoryBytesMax: 8 * gib,
    diskBytesMax: 20 * gib,
    processesMax: 4_096,
  },
  scale: {
    atOnceMax: 8,
    wallClockMs: 60 * minutes,
    cpuMillisMax: 8_000,
    memoryBytesMax: 16 * gib,
    diskBytesMax: 40 * gib,
    processesMax: 8_192,
  },
};

/** Days that a line of log is kept and can be read, by plan. */
export const logDays = { trial: 7, hobby: 7, pro: 30, scale: 90 } as const satisfies Record<Plan, number>;
