import { posix } from "node:path";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { SourceTree } from "../../source-tree.ts";
import { withoutXmlComments } from "../../xml-comments.ts";

/** A project's text without its comments. */
export const textOf = (tree: SourceTree, project: string): string =>
  withoutXmlComments(tree.read(project) ?? "");

/**
 * The project to publish: the one at the root, else the only one of a solution that makes a program. Throws PlanRefusal
 * where a solution has several.
 */
export function projectOf(tree: SourceTree): string | undefined {
  const atRoot = [...tree.find("*.csproj"), ...tree.find("*.fsproj")][0];
  if (atRoot !== undefined || tree.hasFile("package.json")) return atRoot;
  const [solution] = [...tree.find("*.sln"), ...tree.find("*.slnx")];
  if (solution === undefined) return undefined;
  const programs = [...tree.find("**/*.csproj"), ...tree.find("**/*.fsproj")]
    .slice(0, projectsMax)
    .filter((project) => makesProgram(textOf(tree, project)));
  if (programs.length <= 1) return programs[0];
  throw new PlanRefusal(`${solution} has ${programs.length} projects that make a program`, {
    hint: `Set the root directory to the folder of the one to run: ${programs.slice(0, 5).map(posix.dirname).join(", ")}. Where it refers to projects outside of it, add a Dockerfile.`,
  });
}

/** More are not looked into. */
const projectsMax = 100;

/** Tests make programs too, and are run by others. */
const makesProgram = (text: string): boolean =>
  (/Sdk="Microsoft\.NET\.Sdk\.(?:Web|Worker)"/.test(text) || /<OutputType>\s*(?:Win)?Exe\s*</i.test(text)) &&
  !/Microsoft\.NET\.Test\.Sdk|<IsTestProject>\s*true/i.test(text);
