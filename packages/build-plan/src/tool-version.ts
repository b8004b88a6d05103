import { decide, type PlanDraft } from "./plan-draft.ts";
import type { ToolVersion } from "./plan-info.ts";
import type { SourceTree } from "./source-tree.ts";

export interface ToolChoice {
  readonly tool: string;
  /** Shown to people: "Node". */
  readonly label: string;
  /** `RAILPACK_<variable>` overrides everything in the source. */
  readonly variable?: string;
  /** One-line files that version managers read. */
  readonly files?: readonly string[];
  /** What the project's own manifest says, the strongest first. */
  readonly manifest?: readonly (ToolVersion | undefined)[];
  readonly fallback: ToolVersion;
  /** Turns what people write ("lts/*", ">=22") into a version or a line of versions. */
  readonly resolve?: (wanted: string) => string | undefined;
}

/**
 * Chooses a tool's version and records why: the configuration's packages, the variable, mise.toml, .tool-versions,
 * the version managers' own files, the manifest, and the planner's default, in this order.
 */
export function chooseVersion(draft: PlanDraft, choice: ToolChoice): string {
  const { tool, label, fallback } = choice;
  const resolve = choice.resolve ?? plainVersion;
  const wanted = candidates(draft, choice).filter(
    (candidate): candidate is ToolVersion => candidate !== undefined && isSpecific(candidate.version),
  );
  const unread: string[] = [];
  let chosen: ToolVersion = fallback;
  for (const { version, reason } of wanted) {
    const resolved =
      version.length <= versionLengthMax ? (resolve(version) ?? newest(version, fallback)) : undefined;
    if (resolved) chosen = { version: resolved, reason };
    if (resolved) break;
    unread.push(`${reason.slice(0, versionLengthMax)}, which is no version`);
  }
  if (unread.length > 0)
    chosen = {
      version: chosen.version,
      reason:
        chosen === fallback
          ? `${unread.join("; ")}; this is the default`
          : `${chosen.reason} (${unread.join("; ")})`,
    };
  draft.versions[tool] = chosen;
  decide(draft, `${label} ${chosen.version}`, `because ${chosen.reason}`, `tool ${tool}`);
  return chosen.version;
}

/** No version is longer; what is would be looked through for one, and shown to people. */
const versionLengthMax = 200;

/** The default is the newest line that is proven. */
const newest = (wanted: string, { version }: ToolVersion): string | undefined =>
  wanted.trim() === "latest" ? version : undefined;

const isSpecific = (version: string): boolean => !["", "*", "x", "system"].includes(version.trim());
const plainVersion = (version: string): string => version.trim().replace(/^v(?=\d)/, "");

function candidates(draft: PlanDraft, choice: ToolChoice): (ToolVersion | undefined)[] {
  const { tool, variable } = choice;
  const configured = draft.config.packages?.[tool];
  const set = variable && draft.variables.get(variable);
  return [
    configured === undefined
      ? undefined
      : {
          version: configured,
          reason: `${draft.saidBy((file) => file.packages?.[tool], "RAILPACK_PACKAGES")} says ${configured}`,
        },
    set ? { version: set, reason: `RAILPACK_${variable} says ${set}` } : undefined,
    ...versionManagerFiles(draft.tree, tool, choice.files ?? []),
    ...(choice.manifest ?? []),
  ];
}

const miseFiles = [
  "mise.local.toml",
  ".mise.local.toml",
  "mise.toml",
  ".mise.toml",
  ".config/mise.toml",
  "mise/config.toml",
  ".mise/config.toml",
  ".config/mise/config.toml",
];
const otherNames: Record<string, string[]> = { node: ["nodejs"], go: ["golang"], dotnet: ["dotnet-core"] };

function versionManagerFiles(
  tree: SourceTree,
  tool: string,
  files: readonly string[],
): (ToolVersion | undefined)[] {
  const names = [tool, ...(otherNames[tool] ?? [])];
  return [
    ...miseFiles.map((file) => said(file, miseVersion(tree.readToml(file), names))),
    said(".tool-versions", toolVersionsLine(tree.readLines(".tool-versions"), names)),
    ...files.map((file) => said(file, firstLineOf(tree.readLines(file)))),
  ];
}

const said = (file: string, version: string | undefined): ToolVersion | undefined =>
  version === undefined ? undefined : { version, reason: `${file} says ${version}` };

function miseVersion(
  file: Record<string, unknown> | undefined,
  names: readonly string[],
): string | undefined {
  const tools = file?.["tools"];
  if (typeof tools !== "object" || tools === null) return undefined;
  const entry = names
    .map((name) => (tools as Record<string, unknown>)[name])
    .find((value) => value !== undefined);
  const first: unknown = Array.isArray(entry) ? entry[0] : entry;
  if (typeof first === "string" || typeof first === "number") return String(first);
  const version = (first as { version?: unknown } | undefined)?.version;
  return typeof version === "string" ? version : undefined;
}

function toolVersionsLine(
  lines: readonly string[] | undefined,
  names: readonly string[],
): string | undefined {
  const words = lines?.map((line) => line.replace(/#.*/, "").trim().split(/\s+/));
  return words?.find(([name]) => names.includes(name!))?.[1];
}

const firstLineOf = (lines: readonly string[] | undefined): string | undefined =>
  lines
    ?.map((line) => line.replace(/#.*/, "").trim())
    .find((line) => line !== "")
    ?.slice(0, 80);
