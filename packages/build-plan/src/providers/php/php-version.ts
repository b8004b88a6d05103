import type { PlanDraft } from "../../plan-draft.ts";
import { chooseVersion } from "../../tool-version.ts";
import { pickLine } from "../../version-range.ts";

const defaultPhp = "8.4";
/** Those that have an image of FrankenPHP; for a range the oldest, with which its author began. */
const lines = ["8.2", "8.3", "8.4", "8.5"];

export function choosePhp(draft: PlanDraft): string {
  const composer = draft.tree.readJson("composer.json") as
    | { require?: { php?: unknown }; config?: { platform?: { php?: unknown } } }
    | null
    | undefined;
  const [platform, required] = [composer?.config?.platform?.php, composer?.require?.php];
  draft.installedElsewhere.add("php");
  return chooseVersion(draft, {
    tool: "php",
    label: "PHP",
    variable: "PHP_VERSION",
    files: [".php-version"],
    manifest: [
      typeof platform === "string"
        ? { version: platform, reason: `composer.json's platform says ${platform}` }
        : undefined,
      typeof required === "string"
        ? { version: required, reason: `composer.json requires php ${required}` }
        : undefined,
    ],
    fallback: { version: defaultPhp, reason: "nothing in the source names a version" },
    resolve: (wanted) => pickLine(wanted.replace(/(\d)\s*\|\s*(?=[\^~\d])/g, "$1 || "), lines),
  });
}
