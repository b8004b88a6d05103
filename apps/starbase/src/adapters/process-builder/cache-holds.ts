import path from "node:path";

/** Which folders of the caches builds of this process use just now: a tool, or a project's with all that is in it. */
export type CacheHolds = {
  hold(folder: string): Disposable;
  /** Of a tool, or of a folder of a project's: `projects/<id>/<kind>/<name>`. */
  isHeld(folder: string): boolean;
};

export function cacheHolds(): CacheHolds {
  const holders = new Map<string, number>();
  return {
    hold(folder) {
      holders.set(folder, (holders.get(folder) ?? 0) + 1);
      return {
        [Symbol.dispose]() {
          const left = (holders.get(folder) ?? 0) - 1;
          if (left > 0) holders.set(folder, left);
          else holders.delete(folder);
        },
      };
    },
    isHeld: (folder) => holders.has(folder) || holders.has(path.dirname(path.dirname(folder))),
  };
}
