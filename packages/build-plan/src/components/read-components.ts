import { PlanRefusal } from "../plan-refusal.ts";
import { beginReading, type OnRead, openSourceTree, type SourceTree } from "../source-tree.ts";
import { isNamed, packageUrl, type Component, type LockReader } from "./component.ts";
import { readGoMod, readGoSum } from "./go.ts";
import {
  readBinaryBunLock,
  readBunLock,
  readDenoLock,
  readNpmLock,
  readPnpmLock,
  readYarnLock,
} from "./javascript.ts";
import { pomNote, readPom } from "./maven.ts";
import { readComposerLock, readGemfileLock, readGradleLock, readMixLock, readNuGetLock } from "./others.ts";
import {
  readCargoLock,
  readGleamManifest,
  readPipfileLock,
  readPythonLock,
  readRequirements,
} from "./python.ts";

export type { Component } from "./component.ts";

/** What a file is called, or where several are found; how it is read; what whoever reads the list should know of it. */
type LockFile = readonly [pattern: string, read: LockReader, note?: string];

/** Of each group the first that is there and tells counts: it is what its tool goes by. */
const lockFiles: readonly (readonly LockFile[])[] = [
  [
    ["npm-shrinkwrap.json", readNpmLock],
    ["package-lock.json", readNpmLock],
    ["yarn.lock", readYarnLock],
    ["pnpm-lock.yaml", readPnpmLock],
    ["bun.lock", readBunLock],
    ["bun.lockb", readBinaryBunLock],
  ],
  [["deno.lock", readDenoLock]],
  [
    ["uv.lock", readPythonLock],
    ["poetry.lock", readPythonLock],
    ["pdm.lock", readPythonLock],
    ["Pipfile.lock", readPipfileLock],
    ["requirements.txt", readRequirements],
  ],
  [
    ["go.mod", readGoMod],
    ["go.sum", readGoSum],
  ],
  [["Cargo.lock", readCargoLock]],
  [["Gemfile.lock", readGemfileLock]],
  [["composer.lock", readComposerLock]],
  [["mix.lock", readMixLock]],
  [["manifest.toml", readGleamManifest]],
  // .NET writes one beside each project.
  [["**/packages.lock.json", readNuGetLock]],
  [
    ["gradle.lockfile", readGradleLock],
    ["pom.xml", readPom, pomNote],
  ],
];

/** Of a kind that there are several of. */
const filesMax = 100;

/** What is read of one lock file, and how many components are told. */
export const componentLimits = { fileBytesMax: 16 * 1024 * 1024, componentsMax: 50_000 };

export type Components = {
  /** Each once, by package URL. */
  readonly components: readonly Component[];
  /** The lock files they were read from. */
  readonly files: readonly string[];
  /** What could not be told, in sentences. */
  readonly notes: readonly string[];
};

/**
 * The packages that the lock files of a source name: those at its root, and of .NET those of its projects. Reads the tree and nothing else; a lock file that is
 * too large or broken is a note and no failure, because the tool that it belongs to judges it.
 */
export async function readComponents(dir: string, onRead?: OnRead): Promise<Components> {
  let tree: SourceTree;
  try {
    tree = await openSourceTree(dir, beginReading(onRead));
  } catch (error) {
    if (!(error instanceof PlanRefusal)) throw error;
    return { components: [], files: [], notes: [error.message] };
  }
  const found = new Map<string, Component>();
  const [files, notes]: [string[], string[]] = [[], []];
  const look = (file: string, read: LockReader): boolean => {
    try {
      const text = tree.readStart(file, componentLimits.fileBytesMax + 1) ?? "";
      if (text.length > componentLimits.fileBytesMax) throw new Error("it is too large");
      const components = read(text);
      if (components === undefined) return false;
      files.push(file);
      for (const component of components.filter(isNamed)) keep(found, component);
    } catch (error) {
      notes.push(
        `${file} was not read: ${(error instanceof Error ? error.message : String(error)).split("\n", 1)[0]}`,
      );
    }
    return true;
  };
  for (const group of lockFiles)
    for (const [pattern, read, note] of group) {
      const there = pattern.includes("*")
        ? tree.find(pattern).slice(0, filesMax)
        : [pattern].filter(tree.hasFile);
      // Each is looked at, also where an earlier one told nothing.
      const told = there.filter((file) => look(file, read));
      if (told.length === 0) continue;
      if (note) notes.push(note);
      break;
    }
  if (files.length === 0) notes.push("no lock file at the root of the source says which packages it takes");
  if (found.size > componentLimits.componentsMax)
    notes.push(`of ${found.size} components the first ${componentLimits.componentsMax} are listed`);
  const sorted = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, component]) => component);
  return { components: sorted.slice(0, componentLimits.componentsMax), files, notes };
}

/** A package that the app needs and its tests need too is one that the app needs. */
function keep(found: Map<string, Component>, component: Component): void {
  const url = packageUrl(component);
  const known = found.get(url);
  if (!known || (known.isDevelopment && !component.isDevelopment)) found.set(url, component);
}
