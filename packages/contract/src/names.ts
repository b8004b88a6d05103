import { z } from "zod";
import "./plain-words.ts";

export const Id = z.uuid();

/** Workspace (globally unique) and project (unique per workspace) slugs. */
export const Slug = z
  .string()
  .min(2, "must have at least 2 characters")
  .max(63, "must have at most 63 characters")
  .regex(/^[a-z0-9][a-z0-9-]*[a-z0-9]$/, "use small letters, digits and hyphens, not at either end");

/** An RFC 1123 label of at most 30 characters. */
const label = (what: string) =>
  z
    .string()
    .min(1, `a ${what} needs a name`)
    .max(30, "must have at most 30 characters")
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "use small letters, digits and hyphens, not at either end");
export const EnvironmentName = label("environment");
export const ServiceName = label("service");
export const VarGroupName = label("var group");

/** An environment variable's name. */
export const VariableName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "use letters, digits and underscores, not beginning with a digit");

/** A thing in a path may be named by its id or by its name. */
export const Ref = z.string().min(1).max(63);

export const Timestamp = z.iso.datetime({ offset: true });
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

export const ServiceType = z.enum(["web", "worker", "cron"]);
export type ServiceType = z.infer<typeof ServiceType>;
/** How a run of a cron stands; `unknown`: it is over, and nobody saw how it ended. */
export const CronOutcome = z.enum(["running", "succeeded", "failed", "skipped", "unknown"]);
export type CronOutcome = z.infer<typeof CronOutcome>;
export const Tier = z.enum(["mininova", "nova", "supernova", "ultranova"]);
export type Tier = z.infer<typeof Tier>;

/** Nova tiers: what one instance asks for. vCPU in thousandths, memory in bytes. */
export const tiers = {
  mininova: { cpuMillis: 250, memoryBytes: 512 * 2 ** 20 },
  nova: { cpuMillis: 500, memoryBytes: 2 ** 30 },
  supernova: { cpuMillis: 1_000, memoryBytes: 2 * 2 ** 30 },
  ultranova: { cpuMillis: 2_000, memoryBytes: 4 * 2 ** 30 },
} as const satisfies Record<Tier, { cpuMillis: number; memoryBytes: number }>;

/** The environment every project begins with. */
export const firstEnvironment = "production";
