/** What stands beside a plan for the person who reads it: what was found, which versions, and why. */
export interface PlanInfo {
  /** Detected, by Railpack's names: `node`, `python`, `staticfile`, … */
  readonly providers: string[];
  readonly versions: Record<string, ToolVersion>;
  readonly decisions: Decision[];
  /** The folder the plan (or the Dockerfile) is relative to, itself relative to the source: "." or "apps/web". */
  readonly rootDirectory: string;
  /** Present when the repository seems to hold several services. */
  readonly services?: ServiceProposal[];
}

export interface ToolVersion {
  readonly version: string;
  readonly reason: string;
}

export interface Decision {
  /** What it decides on, of which there is one decision: `start`, `step build`, `tool node`, `cache npm`, … */
  readonly about: string;
  readonly what: string;
  readonly reason: string;
}

/** One service that a repository seems to hold, ready to be shown, corrected and created. */
export interface ServiceProposal {
  readonly name: string;
  readonly type: "web" | "worker" | "cron";
  /** Where its plan is made, relative to the repository: "." or "apps/web". */
  readonly rootDirectory: string;
  readonly provider: string;
  readonly reason: string;
  /** Pushes that touch none of these need no deploy; gitignore-like patterns from the repository's root. */
  readonly watchPaths: string[];
  readonly buildCommand?: string;
  readonly startCommand?: string;
  /** What its plan starts by itself, where no command is given. */
  readonly plannedStart?: string;
  readonly cron?: string;
  /** Variables that the app names as needed; may hold references such as `${{api.STARFORM_PRIVATE_URL}}`. */
  readonly variables: Record<string, string>;
}
