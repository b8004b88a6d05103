import type { SourceLimits } from "@starform/contract/source-limits";
import { Fault } from "@starform/std/fault";
import { sayBytes } from "../output/say-time.ts";
import { bytesIn, type FolderEntry } from "./folder-entry.ts";

/** Refuses what no platform takes, as far as it can be seen without packing. */
export function refuseLarge(root: string, entries: readonly FolderEntry[], limits: SourceLimits): void {
  const { bytesMax, entriesMax } = limits;
  const total = bytesIn(entries);
  if (total > bytesMax)
    throw tooLarge(`${root} holds ${sayBytes(total)}, and a source may hold ${sayBytes(bytesMax)}`, entries);
  if (entries.length > entriesMax)
    throw tooLarge(
      `${root} holds ${entries.length} files and folders, and a source may hold ${entriesMax}`,
      entries,
    );
}

/** With the largest things in the folder, so that a person sees what to leave out. */
export function tooLarge(why: string, entries: readonly FolderEntry[]): Fault {
  const sizes = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind !== "file") continue;
    const top = entry.path.split("/").slice(0, 2).join("/");
    sizes.set(top, (sizes.get(top) ?? 0) + entry.sizeBytes);
  }
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, 5);
  const lines = largest.map(([path, size]) => `\n  ${sayBytes(size).padStart(8)}  ${path}`);
  return new Fault(
    "too_large",
    `${why}: list what the app does not need in .starformignore. The largest:${lines.join("")}`,
  );
}
