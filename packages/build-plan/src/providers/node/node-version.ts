import type { PlanDraft } from "../../plan-draft.ts";
import type { ToolVersion } from "../../plan-info.ts";
import { chooseVersion } from "../../tool-version.ts";
import { pickLine } from "../../version-range.ts";
import type { PackageJson } from "./package-json.ts";

/** The line to use when a source names none: the newest with long-term support that is proven. */
const current = "24";
/** For a range: the oldest line still maintained (the one its author had), then newer, then what is out of support. */
const lines = ["22", "24", "26", "20", "18", "16", "14", "25", "23", "21", "19", "17", "15", "12", "10", "8"];
const named: Record<string, string> = {
  argon: "4",
  boron: "6",
  carbon: "8",
  dubnium: "10",
  erbium: "12",
  fermium: "14",
  gallium: "16",
  hydrogen: "18",
  iron: "20",
  jod: "22",
  krypton: "24",
};

export const defaultNode = (why = "nothing in the source names a version"): ToolVersion => ({
  version: current,
  reason: why,
});

export function chooseNode(draft: PlanDraft, manifest: PackageJson): string {
  const engine = manifest.engines["node"];
  const volta = manifest.volta["node"];
  const dev = manifest.devEngines.runtime["node"];
  return chooseVersion(draft, {
    tool: "node",
    label: "Node",
    variable: "NODE_VERSION",
    files: [".node-version", ".nvmrc"],
    manifest: [
      engine ? { version: engine, reason: `package.json engines says ${engine}` } : undefined,
      volta ? { version: volta, reason: `package.json volta says ${volta}` } : undefined,
      dev ? { version: dev, reason: `package.json devEngines says ${dev}` } : undefined,
    ],
    fallback: defaultNode(),
    resolve: resolveNode,
  });
}

/** "lts/*", "lts/jod", "v22.3.0", ">=22", "22.x" and the like to a version or a line. */
export function resolveNode(wanted: string): string | undefined {
  const text = wanted.trim().toLowerCase();
  if (["lts", "lts/*", "latest", "current", "node", "stable"].includes(text)) return current;
  const codename = /^(?:lts[/-])?([a-z]+)$/.exec(text)?.[1];
  return codename ? named[codename] : pickLine(text, lines);
}
