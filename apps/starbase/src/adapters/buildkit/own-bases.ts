import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { BuildSpec } from "../../ports/build-service.ts";

/** What comes from the npm registry, in the version that a plan asks for. */
const fromNpm = new Set(["node", "npm", "pnpm", "yarn", "bun", "deno"]);
/** What a plan may ask for that the quick base has. */
export const quickTools: ReadonlySet<string> = new Set([...fromNpm, "python"]);

/**
 * The tools, like "ruby 3.4", that the bases made here do not have in the version that the plan asks for. A Dockerfile names
 * what it starts from itself.
 */
export async function toolsOwnBasesLack({ kind, info }: BuildSpec["outcome"]): Promise<string[]> {
  if (kind === "dockerfile") return [];
  const asked = Object.entries(info.versions).filter(([tool]) => !fromNpm.has(tool));
  const python = asked.some(([tool]) => tool === "python") ? await pythonVersion() : undefined;
  return asked
    .filter(([tool, { version }]) => tool !== "python" || !python || !`${python}.`.startsWith(`${version}.`))
    .map(([tool, { version }]) => `${tool} ${version}`);
}

let known: Promise<string | undefined> | undefined;
/** Of this machine, whose programs or whose Debian the bases are made of; undefined where it has none. */
const pythonVersion = (): Promise<string | undefined> =>
  (known ??= promisify(execFile)("/usr/bin/python3", ["--version"]).then(
    ({ stdout }) => /\d+(\.\d+)*/.exec(stdout)?.[0],
    () => undefined,
  ));
