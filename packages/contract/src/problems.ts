import { z } from "zod";

/** The closed list of problem codes; the same as Fault's in std, held equal by a test. */
export const problemCodes = [
  "malformed",
  "unauthenticated",
  "forbidden",
  "not_found",
  "conflict",
  "name_taken",
  "idempotency_mismatch",
  "gone",
  "precondition_failed",
  "too_large",
  "invalid",
  "rate_limited",
  "internal",
  "unavailable",
  "disk_full",
] as const;

/** RFC 9457. `detail` says what happened, why, and what to do next. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(problemCodes),
    detail: z.string(),
    instance: z.string().optional(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof Problem>;
