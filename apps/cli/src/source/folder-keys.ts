import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readLooseJson } from "@starform/build-plan/loose-json";

export type FolderKeys = {
  readonly cron?: string;
  readonly project?: string;
  readonly service?: string;
  readonly type?: string;
};

/**
 * What a folder's starform.json says about where it belongs. Only looked at: what is wrong in the file is told by the
 * planner when it is built, so nothing here refuses it.
 */
export function readFolderKeys(folder: string): FolderKeys {
  try {
    const text = readFileSync(join(folder, "starform.json"), "utf8");
    const value = readLooseJson(text) as Record<string, unknown>;
    const member = (name: string) => (typeof value[name] === "string" ? { [name]: value[name] } : {});
    return { ...member("project"), ...member("service"), ...member("type"), ...member("cron") };
  } catch {
    return {};
  }
}
