import type { SourceTree } from "../../source-tree.ts";
import { word } from "../../commands.ts";

/** Whether the Gemfile names a gem, or the lock file holds it because another gem needs it. */
export function dependsOnGem(tree: SourceTree, gem: string): boolean {
  const named = new RegExp(`^[ \\t]*gem[ \\t(]+["']${gem}["']`, "m");
  const locked = new RegExp(`^ {4,6}${gem} \\(|^ {2,6}${gem}!?$`, "m");
  return named.test(tree.read("Gemfile") ?? "") || locked.test(tree.read("Gemfile.lock") ?? "");
}

/** What `gem install` brings bundler with, of the version that wrote the lock file. */
export function bundlerOf(tree: SourceTree): string {
  const version = /^BUNDLED WITH\s+(\d[\w.]*)/m.exec(tree.read("Gemfile.lock") ?? "")?.[1];
  return version ? word(`bundler:${version}`) : "bundler";
}

/** Folders of the source that the Gemfile takes gems from. */
export function localGems(tree: SourceTree): string[] {
  const paths = [...(tree.read("Gemfile") ?? "").matchAll(/\bpath:\s*["']([^"'\n]+)["']/g)].map(([, path]) =>
    path!.replace(/^\.\//, "").replace(/\/$/, ""),
  );
  return [...new Set(paths)].filter((path) => !path.startsWith("/") && !path.split("/").includes(".."));
}
