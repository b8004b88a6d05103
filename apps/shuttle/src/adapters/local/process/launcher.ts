import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppTools } from "./app-tools.ts";
import type { Confinement } from "./confinement.ts";
import type { ProcessImage } from "./image-store.ts";
import { asUser, sandboxCommand } from "./sandbox-command.ts";
import { commandLine, quoted } from "./shell-words.ts";

export type Launch = {
  readonly dir: string;
  readonly image: ProcessImage;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly hostname: string;
  /** The user the app runs as, where Shuttle may choose one. */
  readonly uid: number;
  readonly volumes: readonly { readonly source: string; readonly mountPath: string }[];
  readonly joinFiles: readonly string[];
  /** The group's own limits, shown to the app where runtimes look for them. */
  readonly cgroupView: readonly { readonly source: string; readonly target: string }[];
};
type Means = { readonly tools: AppTools; readonly confinement: Confinement };

/** Names that a shell keeps for itself. */
const reserved = new Set(["UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO", "_"]);
const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Writes the keeper's script into the instance's directory and gives its path. The keeper outlives Shuttle: it notes
 * who it is, lets the app run with its output in files, and notes how it ended. The app's variables travel in a file
 * that is read after all rights are given up, so that none of them can steer what runs before.
 */
export function writeLauncher(launch: Launch, { tools, confinement }: Means): string {
  const start = join(launch.dir, "start");
  writeFileSync(start, startScript(launch, { tools, confinement }), { mode: 0o400 });
  if (confinement.setpriv) chownSync(start, launch.uid, launch.uid);
  const words = confinement.bwrap
    ? sandboxCommand(launch, tools, confinement)
    : plainCommand(launch, tools, confinement);
  const path = join(launch.dir, "keeper");
  writeFileSync(path, keeperScript(words, launch.joinFiles), { mode: 0o500 });
  return path;
}

const keeperScript = (words: readonly string[], joinFiles: readonly string[]): string =>
  [
    "#!/bin/sh",
    "if [ -r /proc/$$/stat ]; then",
    "  read -r stat < /proc/$$/stat; set -- ${stat##*) }",
    "  read -r boot < /proc/sys/kernel/random/boot_id",
    '  echo "$$ $boot:${20}" > begun',
    "fi",
    "umask 077; : >> out; : >> err; umask 022",
    "(",
    ...joinFiles.map((file) => `  echo 0 > ${quoted(file)} || exit 125`),
    `  exec ${commandLine(words)}`,
    ") < /dev/null >> out 2>> err &",
    "wait $!",
    'echo "$?" > exit.draft && mv exit.draft exit',
    "",
  ].join("\n");

function startScript(launch: Launch, { tools, confinement }: Means): string {
  const inside = confinement.bwrap ? (path: string) => path : seenFromOutside(launch.image.tree);
  const own = confinement.bwrap ? "/run/starform/bin" : join(launch.dir, "bin");
  const { PATH: asked, ...ofImage } = launch.image.env;
  const wanted = (launch.env["PATH"] ?? asked ?? "").split(":").filter(Boolean);
  const env: Record<string, string> = {
    HOME: confinement.bwrap ? "/home/app" : join(launch.dir, "home"),
    LANG: "C.UTF-8",
    ...Object.fromEntries(Object.entries(ofImage).map(([name, value]) => [name, inside(value)])),
    ...launch.env,
    // What the image brings comes first, as in a container: it may be another Node than this machine's.
    PATH: [...launch.image.paths.map(inside), own, ...wanted.map(inside), standardPath].join(":"),
  };
  return [
    ...Object.entries(env)
      .filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !reserved.has(name))
      .map(([name, value]) => `export ${name}=${quoted(value)}`),
    `cd ${quoted(inside(launch.image.workdir))} || exit 126`,
    `exec ${tools.shell} -c ${quoted(launch.command)}`,
    "",
  ].join("\n");
}

/** Without a sandbox: the same start file, with Node and npm in a directory of the instance. */
function plainCommand({ dir, uid }: Launch, { node, npmRoot }: AppTools, { setpriv }: Confinement): string[] {
  const bin = join(dir, "bin");
  const programs = {
    node: [node],
    ...(npmRoot
      ? { npm: [node, join(npmRoot, "bin/npm-cli.js")], npx: [node, join(npmRoot, "bin/npx-cli.js")] }
      : {}),
  };
  mkdirSync(bin, { mode: 0o755 });
  for (const [name, words] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${commandLine(words)} "$@"\n`, { mode: 0o755 });
  mkdirSync(join(dir, "home"), { mode: 0o700 });
  if (setpriv) chownSync(join(dir, "home"), uid, uid);
  // Another user has to reach its own start file and tools; what else lies there stays ours.
  if (setpriv) chmodSync(dir, 0o711);
  return [...(setpriv ? asUser(setpriv, uid) : []), "/bin/sh", join(dir, "start")];
}

/** Without a sandbox there is no /app: paths below it are told where the tree really lies. */
const seenFromOutside =
  (tree: string) =>
  (text: string): string =>
    text.replaceAll(/(^|:)\/app(?=\/|:|$)/g, `$1${tree}`);
