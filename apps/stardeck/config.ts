import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv, type Env } from "@starform/std/parse-env";
import { z } from "zod";

const Variables = z.strictObject({
  API_URL: z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:4401"),
  /** Where the build is, relative to this folder. */
  DIST_DIR: z.string().default(".next/local"),
});

/** What the running server needs; asked for at each request, so that one build serves any platform. */
export function readConfig(env: Env) {
  const { API_URL } = parseEnv("STARDECK_", Variables, env);
  return { apiUrl: API_URL.replace(/\/+$/, ""), isDevelopment: env["NODE_ENV"] === "development" };
}

/** What `next build`, `next dev` and `next start` need. */
export function readBuildConfig(env: Env) {
  const { DIST_DIR } = parseEnv("STARDECK_", Variables, env);
  return { distDir: DIST_DIR, workspaceRoot: resolve(process.cwd(), "../..") };
}

/** How a person on this machine calls the CLI: the clone's own command where the dashboard runs from a clone. */
export function cliCommand(): string {
  const ofClone = resolve(/* turbopackIgnore: true */ process.cwd(), "../../starform");
  return existsSync(ofClone) ? ofClone : "npx starform";
}
