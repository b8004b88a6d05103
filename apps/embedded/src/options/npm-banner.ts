import type { Env } from "@starform/std/parse-env";

/**
 * What a program that reads our JSON has to know when npm runs us: npm prints two lines of its own first, and nothing
 * in a project but `loglevel=silent` in its .npmrc keeps it from that, which would hide npm's errors as well.
 */
export const npmBannerHint = (env: Env): string | undefined =>
  env["npm_lifecycle_event"] && env["npm_config_loglevel"] !== "silent"
    ? "- npm has printed two lines of its own before the JSON, which is the last line: with --silent (npm start --silent -- …) it does not"
    : undefined;
