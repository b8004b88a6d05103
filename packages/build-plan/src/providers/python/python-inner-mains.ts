import { word } from "../../commands.ts";
import type { SourceTree } from "../../source-tree.ts";
import { mainFiles } from "./python-main-files.ts";

/**
 * The file one folder down that an app most likely starts with, and the command that starts it from the root; undefined
 * where there is none. Which one it is a person has to say.
 */
export function innerStart(tree: SourceTree): { file: string; command: string } | undefined {
  const files = tree.find(`*/{${mainFiles.join(",")}}`).filter((file) => !besides.test(file));
  const [file] = files.toSorted((a, b) => rank(a) - rank(b));
  if (file === undefined) return undefined;
  const folder = file.slice(0, file.indexOf("/"));
  return {
    file,
    command: callsItself(tree, file, folder) ? `python3 -m ${moduleOf(file)}` : `python3 ${word(file)}`,
  };
}

const besides = /^(?:tests?|docs?|examples?|samples?|scripts?|tools?)\//;
const folders = ["src", "app"];

function rank(file: string): number {
  const [folder = "", name = ""] = file.split("/");
  const usual = folders.indexOf(folder);
  return (
    (usual === -1 ? folders.length : usual) * mainFiles.length + mainFiles.findIndex((main) => main === name)
  );
}

/** Whether a file imports from its own folder by that folder's name, or by dots: then it is a module of a package. */
const callsItself = (tree: SourceTree, file: string, folder: string): boolean =>
  /^\w+$/.test(folder) &&
  new RegExp(`^[ \\t]*(?:from|import)[ \\t]+(?:${folder}\\b|\\.)`, "m").test(
    tree.readStart(file, 65_536) ?? "",
  );

const moduleOf = (file: string): string => file.replace(/\.py$/, "").replaceAll("/", ".");
