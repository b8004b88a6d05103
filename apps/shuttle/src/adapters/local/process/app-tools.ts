import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** The platform's own Node and npm, as apps find them first on their PATH. */
export type AppTools = {
  /** Path of the Node binary. */
  readonly node: string;
  /** The package directory of npm; undefined when there is none on this machine. */
  readonly npmRoot: string | undefined;
  /** The shell that start commands are written for. */
  readonly shell: string;
};

export function findAppTools(searchPath: string): AppTools {
  const npm = programOn(searchPath, "npm");
  const npmRoot = npm && dirname(dirname(realpathSync(npm)));
  return {
    node: realpathSync(process.execPath),
    npmRoot: npmRoot && existsSync(join(npmRoot, "package.json")) ? npmRoot : undefined,
    shell: existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh",
  };
}

/** Where a program is found; places that only root's PATH holds are looked at too. */
export function programOn(searchPath: string, name: string): string | undefined {
  const dirs = [
    ...searchPath.split(delimiter),
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
  ];
  return dirs
    .map((dir) => join(dir, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
