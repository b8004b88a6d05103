import { z } from "zod";

/** Where a build stands that waits for a builder. */
export const InLine = z
  .object({
    /** 1 is next. */
    position: z.number().int(),
    /** How many wait in all. */
    of: z.number().int(),
    /**
     * `turn`: for a builder and those before it; `workspace`: for a build of the workspace to end, which runs as many at
     * once as its plan allows; `service`: for the running build of the same service and environment; `quiet`: some
     * seconds, in which a further push may replace it.
     */
    waitsFor: z.enum(["turn", "workspace", "service", "quiet"]),
    /** How many builds the workspace may run at once. */
    atOnceMax: z.number().int(),
  })
  .meta({ id: "InLine" });
export type InLine = z.infer<typeof InLine>;

/** What a build usually takes: a median, never a guess. */
export const BuildEstimate = z
  .object({
    durationMs: z.number().int(),
    /** Whose builds it is the median of: the service's where it has some, else all of its workspace's. */
    basis: z.enum(["service", "workspace"]),
    /** Of how many. */
    builds: z.number().int(),
  })
  .meta({ id: "BuildEstimate" });
export type BuildEstimate = z.infer<typeof BuildEstimate>;
