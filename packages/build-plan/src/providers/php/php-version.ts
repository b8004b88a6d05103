import type { PlanDraft } from "../../plan-draft.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import { chooseVersion } from "../../tool-version.ts";
import { pickLine } from "../../version-range.ts";

const defaultPhp = "8.4";
/** Those that have an image of FrankenPHP; for a range the oldest, with which its author began. */
const lines = ["8.2", "8.3", "8.4", "8.5"];

/** The line of releases to run: images are kept for each line, and for a single release only for a while. */
export function choosePhp(draft: PlanDraft): string {
  const composer = draft.tree.readJson("composer.json") as
    | { require?: { php?: unknown }; config?: { platform?: { php?: unknown } } }
    | null
    | undefined;
  const [platform, required] = [composer?.config?.platform?.php, composer?.require?.php];
  draft.installedElsewhere.add("php");
  const version = chooseVersion(draft, {
    tool: "php",
    label: "PHP",
    variable: "PHP_VERSION",
    files: [".php-version"],
    manifest: [
      // What packages are resolved for may be older than all that runs them.
      typeof platform === "string" && runs(platform)
        ? { version: platform, reason: `composer.json's platform says ${platform}` }
        : undefined,
      typeof required === "string"
        ? { version: required, reason: `composer.json requires php ${required}` }
        : undefined,
    ],
    fallback: { version: defaultPhp, reason: "nothing in the source names a version" },
    resolve(wanted) {
      const picked = pickLine(wanted.replace(/(\d)\s*\|\s*(?=[\^~\d])/g, "$1 || "), lines);
      return picked === "8" ? defaultPhp : picked && /^\d+(?:\.\d+)?/.exec(picked)?.[0];
    },
  });
  if (runs(version)) return version;
  throw new PlanRefusal(
    `this is PHP ${version} (${draft.versions["php"]!.reason}), and PHP runs from 8.2 on`,
    {
      hint: "Let composer.json allow a newer PHP, or add a Dockerfile.",
    },
  );
}

/** FrankenPHP needs PHP 8.2. */
function runs(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 8 || (major === 8 && minor >= 2);
}
