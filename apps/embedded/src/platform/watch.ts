import { existsSync, watch } from "node:fs";
import { join } from "node:path";

const appOf: Readonly<Record<string, readonly string[]>> = {
  starbase: ["api", "worker"],
  shuttle: ["shuttle"],
  gateway: ["gateway"],
  telemetry: ["telemetry"],
};
const settleMs = 300;

/** Restarts the processes of an app when its source changes, and all of them when a package does. */
export function restartOnChange(root: string, restart: (name: string) => void): Disposable {
  const due = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const changed = (names: readonly string[]) => {
    for (const name of names) due.add(name);
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const name of due) restart(name);
      due.clear();
    }, settleMs);
  };
  const watchers = [
    ...Object.entries(appOf).map(([app, names]) => ({ dir: join(root, "apps", app, "src"), names })),
    { dir: join(root, "packages"), names: Object.values(appOf).flat() },
  ]
    .filter(({ dir }) => existsSync(dir))
    .map(({ dir, names }) => watch(dir, { recursive: true }, (_, file) => isSource(file) && changed(names)));
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

const isSource = (file: string | null): boolean =>
  file !== null && file.endsWith(".ts") && !file.includes("test") && !file.includes("node_modules");
