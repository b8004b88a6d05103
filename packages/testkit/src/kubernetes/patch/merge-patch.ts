import { isObject, type Json } from "../model/json.ts";

/** A JSON merge patch (RFC 7386): objects part by part, null takes a field away, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json | undefined): Json | undefined {
  if (!isObject(patch)) return patch;
  const out: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete out[field];
    else out[field] = mergePatch(out[field], value);
  }
  return out;
}
