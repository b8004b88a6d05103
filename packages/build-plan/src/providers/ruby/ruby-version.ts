import type { PlanDraft } from "../../plan-draft.ts";
import type { ToolVersion } from "../../plan-info.ts";
import { chooseVersion } from "../../tool-version.ts";
import { pickLine } from "../../version-range.ts";

const defaultRuby = "3.4";
const lines = [defaultRuby, "4.0", "3.3", "3.2", "3.1", "3.0", "2.7", "2.6", "2.5"];

export function chooseRuby(draft: PlanDraft): void {
  // Documentation slows the build of Ruby down and fails it where the locale is not set.
  draft.toolVariables["RUBY_CONFIGURE_OPTS"] = "--disable-install-doc";
  chooseVersion(draft, {
    tool: "ruby",
    label: "Ruby",
    variable: "RUBY_VERSION",
    files: [".ruby-version"],
    manifest: [gemfile(draft), lockFile(draft)],
    fallback: { version: defaultRuby, reason: "nothing in the source names a version" },
    resolve: (wanted) => pickLine(wanted.replace(/^ruby-/, ""), lines),
  });
}

function gemfile({ tree }: PlanDraft): ToolVersion | undefined {
  const version = /^[ \t]*ruby[ \t(]+["']([^"'\n]{1,60})["']/m.exec(tree.read("Gemfile") ?? "")?.[1];
  return version ? { version, reason: `Gemfile says ruby "${version}"` } : undefined;
}

function lockFile({ tree }: PlanDraft): ToolVersion | undefined {
  const version = /^RUBY VERSION\s+ruby (\d+(?:\.\d+){0,2})/m.exec(tree.read("Gemfile.lock") ?? "")?.[1];
  return version ? { version, reason: `Gemfile.lock says ruby ${version}` } : undefined;
}
