import { posix } from "node:path";
import type { PlanDraft } from "../../plan-draft.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { SourceTree } from "../../source-tree.ts";
import { withoutXmlComments } from "../../xml-comments.ts";

/** A project's text without its comments. */
export const textOf = (tree: SourceTree, project: string): string =>
  withoutXmlComments(tree.read(project) ?? "");

/**
 * The project to publish: the one that RAILPACK_DOTNET_PROJECT names, else the one at the root, else the only one of a
 * solution that makes a program. Throws PlanRefusal where a solution has several, or the named one is not there.
 */
export function projectOf({ tree, variables }: Pick<PlanDraft, "tree" | "variables">): string | undefined {
  const named = variables.get("DOTNET_PROJECT");
  if (named !== undefined) {
    const project = posix.normalize(named);
    if (tree.hasFile(project)) return project;
    throw new PlanRefusal(`RAILPACK_DOTNET_PROJECT names ${named}, which is not in the source`, {
      hint: "Give the path of a .csproj or .fsproj, from the root directory.",
      lookedFor: [project],
    });
  }
  const atRoot = [...tree.find("*.csproj"), ...tree.find("*.fsproj")][0];
  if (atRoot !== undefined || tree.hasFile("package.json")) return atRoot;
  const [solution] = [...tree.find("*.sln"), ...tree.find("*.slnx")];
  if (solution === undefined) return undefined;
  const programs = [...tree.find("**/*.csproj"), ...tree.find("**/*.fsproj")]
    .slice(0, projectsMax)
    .filter((project) => makesProgram(textOf(tree, project)));
  if (programs.length <= 1) return programs[0];
  throw new PlanRefusal(`${solution} has ${programs.length} projects that make a program`, {
    hint: `Set RAILPACK_DOTNET_PROJECT to the one to run: ${programs.slice(0, 5).join(", ")}. Or set the root directory to its folder, where it refers to no project outside of it.`,
  });
}

/**
 * Throws PlanRefusal where the project refers, itself or through others, to one outside of the root directory: its build
 * would not have it. `rootDirectory` is relative to the source.
 */
export function refuseOutsideReferences(tree: SourceTree, project: string, rootDirectory: string): void {
  const outside = referencesOf(tree, project).filter((path) => path.startsWith("../"));
  const [first] = outside;
  if (first === undefined) return;
  const shared = outside.map((path) => posix.dirname(posix.join(rootDirectory, path)));
  const above = shared.reduce(commonFolder, rootDirectory);
  if (shared.some((folder) => folder.startsWith("..")))
    throw new PlanRefusal(`${project} refers to ${first}, which is not in the source`, {
      hint: `Deploy the folder that holds both, with RAILPACK_DOTNET_PROJECT set to the path of ${posix.basename(project)} in it.`,
    });
  throw new PlanRefusal(
    `${project} refers to ${first}, which is outside of the root directory ${rootDirectory}`,
    {
      hint: `Set the root directory to ${above}, which holds both, and RAILPACK_DOTNET_PROJECT to ${posix.relative(above, posix.join(rootDirectory, project))}.`,
    },
  );
}

/** The projects that a project needs, itself or through others, relative to the root. */
function referencesOf(tree: SourceTree, project: string): string[] {
  const found = new Set([project]);
  for (const one of found) {
    if (!tree.hasFile(one) || found.size > projectsMax) continue;
    for (const [, include = ""] of textOf(tree, one).matchAll(
      /<ProjectReference\b[^<>]*?\bInclude\s*=\s*"([^"<>]*)"/g,
    )) {
      const path = include.replaceAll("\\", "/");
      // What a property of the build stands for is not known.
      if (path !== "" && !path.includes("$(")) found.add(posix.join(posix.dirname(one), path));
    }
  }
  found.delete(project);
  return [...found];
}

function commonFolder(a: string, b: string): string {
  const [left, right] = [a, b].map((path) => posix.normalize(path).split("/"));
  const ends = left!.findIndex((name, at) => name !== right![at]);
  return left!.slice(0, ends === -1 ? undefined : ends).join("/") || ".";
}

/** More are not looked into. */
const projectsMax = 100;

/** Tests make programs too, and are run by others. */
const makesProgram = (text: string): boolean =>
  (/Sdk="Microsoft\.NET\.Sdk\.(?:Web|Worker)"/.test(text) || /<OutputType>\s*(?:Win)?Exe\s*</i.test(text)) &&
  !/Microsoft\.NET\.Test\.Sdk|<IsTestProject>\s*true/i.test(text);
