import { join } from "node:path";

/**
 * Where Node keeps what it compiled of the platform's programs, which halves their next start: with what `npm start`
 * itself compiled, so that every platform of a clone finds it, or else with the platform's data.
 */
export const compileCache = (dataDir: string): { readonly NODE_COMPILE_CACHE: string } => ({
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(dataDir, "cache/node"),
});
