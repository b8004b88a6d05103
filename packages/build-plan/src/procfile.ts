import type { SourceTree } from "./source-tree.ts";

/** The processes of a Procfile, in its order. Lines that are not `name: command` are passed over, and so are quotes around a whole command. */
export function readProcfile(tree: SourceTree): Map<string, string> {
  const processes = new Map<string, string>();
  for (const line of tree.readLines("Procfile") ?? []) {
    const match = /^([A-Za-z0-9_-]+)\s*:\s*(\S.*)$/.exec(line.trim());
    if (match) processes.set(match[1]!, unquoted(match[2]!.trim()));
  }
  return processes;
}

const unquoted = (command: string): string => /^(["'])([^"']+)\1$/.exec(command)?.[2] ?? command;

/** The process a single service runs: web, else worker, else the first that is not a release command. */
export function mainProcess(
  processes: ReadonlyMap<string, string>,
): { name: string; command: string } | undefined {
  const name =
    ["web", "worker"].find((known) => processes.has(known)) ??
    [...processes.keys()].find((other) => other !== "release");
  return name === undefined ? undefined : { name, command: processes.get(name)! };
}
