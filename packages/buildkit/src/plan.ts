/** Railpack's plan format, as far as it is built here. Unknown members are let through unread. */
export type Plan = {
  readonly steps?: readonly PlanStep[];
  readonly caches?: Readonly<Record<string, PlanCache>>;
  /** Names of variables that steps may read as secrets. */
  readonly secrets?: readonly string[];
  readonly exclude?: readonly string[];
  readonly deploy: PlanDeploy;
};

export type PlanStep = {
  readonly name: string;
  readonly inputs?: readonly PlanLayer[];
  readonly commands?: readonly PlanCommand[];
  /** `["*"]` is all of the plan's. */
  readonly secrets?: readonly string[];
  readonly assets?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly caches?: readonly string[];
};

export type PlanCommand = {
  readonly cmd?: string;
  readonly customName?: string;
  readonly path?: string;
  readonly name?: string;
  readonly mode?: number;
  readonly src?: string;
  readonly dest?: string;
  readonly image?: string;
};

/** Where files come from: exactly one of image, step, local, spread. */
export type PlanLayer = {
  readonly image?: string;
  readonly step?: string;
  readonly local?: boolean;
  readonly spread?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
};

export type PlanCache = { readonly directory?: string; readonly type?: "shared" | "locked" };

export type PlanDeploy = {
  readonly base?: PlanLayer;
  readonly inputs?: readonly PlanLayer[];
  readonly startCommand?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly paths?: readonly string[];
};
