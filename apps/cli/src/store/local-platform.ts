import { readFileSync } from "node:fs";
import { join } from "node:path";

export type LocalPlatform = { readonly url: string; readonly token: string };

/**
 * The platform that `npm start` runs from this clone, for the person whose platform it is: only who may read its
 * secrets gets its owner's token. Undefined without a clone, a running platform, or the right to read.
 */
export function localPlatform(cloneDir: string | undefined): LocalPlatform | undefined {
  if (cloneDir === undefined) return undefined;
  const dataDir = join(cloneDir, ".starform");
  try {
    const { apiUrl } = JSON.parse(readFileSync(join(dataDir, "run/state.json"), "utf8")) as {
      apiUrl?: unknown;
    };
    const token = readFileSync(join(dataDir, "secrets/owner-token"), "utf8").trim();
    return typeof apiUrl === "string" && token ? { url: apiUrl, token } : undefined;
  } catch {
    return undefined;
  }
}
