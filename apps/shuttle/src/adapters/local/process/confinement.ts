import { execFile } from "node:child_process";
import { chmod, mkdtemp, mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { programOn } from "./app-tools.ts";
import { overlayMount } from "./sandbox-command.ts";

const run = promisify(execFile);

/** How far this machine lets an app be locked in. */
export type Confinement = {
  /** Undefined: apps see the machine's files. */
  readonly bwrap: string | undefined;
  /** A writable layer of its own over the app's tree: by a mount, by bubblewrap, or none. */
  readonly layer: "overlay" | "bwrap" | "none";
  /** Set when apps run under another user than Shuttle. */
  readonly setpriv: string | undefined;
  /** What is lacking, in sentences for the operator. */
  readonly warnings: readonly string[];
};

/** Nothing but plain processes, as on a machine that allows no more. */
export const unconfined: Confinement = { bwrap: undefined, layer: "none", setpriv: undefined, warnings: [] };

/** Tries each means for real: its being installed says little about what a kernel or a container allows. */
export async function probeConfinement(dataDir: string, searchPath: string): Promise<Confinement> {
  const isRoot = process.getuid?.() === 0;
  if (process.platform !== "linux")
    return {
      bwrap: undefined,
      layer: "none",
      setpriv: undefined,
      warnings: ["apps run without a sandbox: there is none for this system"],
    };
  const bwrap = programOn(searchPath, "bwrap");
  const refusal = bwrap
    ? await refusalOf(bwrap, [
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        ...(isRoot ? [] : ["--unshare-user"]),
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--",
        "/bin/true",
      ])
    : "bubblewrap is not installed";
  const works = refusal === undefined;
  const program = isRoot ? programOn(searchPath, "setpriv") : undefined;
  const setpriv = program && (works || (await anyoneReaches(dataDir))) ? program : undefined;
  const layer = !works
    ? "none"
    : (await canOverlay(dataDir, isRoot))
      ? "overlay"
      : (await hasOverlayOption(bwrap!))
        ? "bwrap"
        : "none";
  return {
    bwrap: works ? bwrap : undefined,
    layer,
    setpriv,
    warnings: [
      ...(works
        ? []
        : [
            `apps run without a sandbox and can read this machine's files (${refusal}): install bubblewrap where this is not wanted`,
          ]),
      ...(works && layer === "none"
        ? ["apps cannot write into /app: this machine allows no layer over it; /tmp is writable"]
        : []),
      ...(isRoot && !setpriv
        ? [
            program
              ? `apps run as root: other users cannot enter ${dataDir}`
              : "apps run as root: setpriv of util-linux is not installed",
          ]
        : []),
    ],
  };
}

async function canOverlay(dataDir: string, isRoot: boolean): Promise<boolean> {
  await mkdir(dataDir, { recursive: true });
  const dir = await mkdtemp(join(dataDir, "overlay-probe-"));
  try {
    for (const name of ["lower", "upper", "work", "merged"]) await mkdir(join(dir, name));
    const [program = "", ...args] = [...overlayMount(isRoot), dir, "lower", "touch", "merged/x"];
    return (await refusalOf(program, args)) === undefined;
  } finally {
    await chmod(join(dir, "work/work"), 0o700).catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
  }
}

/** Without a sandbox's own view, an app of another user needs every directory above it to be open. */
async function anyoneReaches(dir: string): Promise<boolean> {
  if (((await stat(dir)).mode & 0o001) === 0) return false;
  return dir === dirname(dir) || anyoneReaches(dirname(dir));
}

const hasOverlayOption = (bwrap: string): Promise<boolean> =>
  run(bwrap, ["--help"]).then(
    ({ stdout }) => stdout.includes("--tmp-overlay"),
    () => false,
  );

const refusalOf = (program: string, args: readonly string[]): Promise<string | undefined> =>
  run(program, [...args], { timeout: 10_000 }).then(
    () => undefined,
    (error: Error & { stderr?: string }) =>
      (error.stderr?.trim().split("\n").at(-1) || error.message).slice(0, 200),
  );
