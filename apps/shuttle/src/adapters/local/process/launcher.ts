import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppTools } from "./app-tools.ts";
import type { Confinement } from "./confinement.ts";
import type { ProcessImage } from "./image-store.ts";
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

/** What bubblewrap shows of /etc: names and certificates, nothing of this machine's own. */
const etc = [
  "alternatives",
  "ca-certificates",
  "crypto-policies",
  "fonts",
  "gai.conf",
  "host.conf",
  "hosts",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "magic",
  "mime.types",
  "networks",
  "nsswitch.conf",
  "pki",
  "protocols",
  "resolv.conf",
  "services",
  "ssl",
  "timezone",
];
/** bubblewrap would keep the directories it makes to root. */
const openDirs = [
  "/etc",
  "/home",
  "/opt",
  "/opt/starform",
  "/opt/starform/bin",
  "/opt/starform/lib",
  "/sys",
  "/sys/fs",
  "/sys/fs/cgroup",
  "/var",
];
/** Names that a POSIX shell keeps for itself. */
const reserved = new Set(["UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO", "_"]);
const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Writes the keeper's script into the instance's directory and gives its path. The keeper outlives Shuttle: it notes
 * who it is, lets the app run with its output in files, and notes how it ended. The app's variables travel in a file
 * that is read after all rights are given up, so that none of them can steer what runs before.
 */
export function writeLauncher(launch: Launch, means: Means): string {
  const { dir, uid } = launch;
  const start = join(dir, "start");
  writeFileSync(start, startScript(launch, means), { mode: 0o400 });
  if (means.confinement.setpriv) chownSync(start, uid, uid);
  const words = means.confinement.bwrap ? sandboxed(launch, means) : plain(launch, means);
  const path = join(dir, "keeper");
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
  const own = confinement.bwrap ? "/opt/starform/bin" : join(launch.dir, "bin");
  const { PATH: asked, ...image } = launch.image.env;
  const env: Record<string, string> = {
    HOME: confinement.bwrap ? "/home/app" : launch.dir,
    LANG: "C.UTF-8",
    ...Object.fromEntries(Object.entries(image).map(([name, value]) => [name, inside(value)])),
    ...launch.env,
    PATH: [
      own,
      ...launch.image.paths.map(inside),
      ...(launch.env["PATH"] ?? asked ?? "").split(":").filter(Boolean).map(inside),
      standardPath,
    ].join(":"),
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

const asUser = (setpriv: string, uid: number): string[] => [
  setpriv,
  "--reuid",
  String(uid),
  "--regid",
  String(uid),
  "--clear-groups",
  "--no-new-privs",
  "--inh-caps=-all",
  "--bounding-set=-all",
  "--",
];

function plain({ dir, uid }: Launch, { tools, confinement }: Means): string[] {
  const bin = join(dir, "bin");
  mkdirSync(bin, { mode: 0o755 });
  writeFileSync(join(bin, "node"), `#!/bin/sh\nexec ${quoted(tools.node)} "$@"\n`, { mode: 0o755 });
  if (tools.npmRoot)
    for (const name of ["npm", "npx"])
      writeFileSync(
        join(bin, name),
        `#!/bin/sh\nexec ${quoted(tools.node)} ${quoted(join(tools.npmRoot, "bin", `${name}-cli.js`))} "$@"\n`,
        { mode: 0o755 },
      );
  if (confinement.setpriv) {
    chownSync(bin, uid, uid);
    // The app has to reach its own start file and tools; what else lies there stays root's.
    chmodSync(dir, 0o711);
  }
  return [...(confinement.setpriv ? asUser(confinement.setpriv, uid) : []), "/bin/sh", join(dir, "start")];
}

function sandboxed(launch: Launch, { tools, confinement }: Means): string[] {
  const { dir, image, uid } = launch;
  const isRoot = confinement.setpriv !== undefined;
  const user = isRoot ? uid : (process.getuid?.() ?? 1000);
  writeFileSync(
    join(dir, "passwd"),
    `root:x:0:0:root:/root:/bin/sh\napp:x:${user}:${user}::/home/app:/bin/sh\n`,
    { mode: 0o444 },
  );
  writeFileSync(join(dir, "group"), `root:x:0:\napp:x:${user}:\n`, { mode: 0o444 });
  const bwrap = [
    confinement.bwrap!,
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--hostname",
    launch.hostname,
    ...(isRoot ? [] : ["--unshare-user", "--cap-drop", "ALL"]),
    ...(launch.cgroupView.length > 0 ? ["--unshare-cgroup-try"] : []),
    "--die-with-parent",
    "--new-session",
    "--clearenv",
    ...openDirs.flatMap((path) => ["--perms", "0755", "--dir", path]),
    "--ro-bind",
    "/usr",
    "/usr",
    ...["bin", "sbin", "lib", "lib32", "lib64"].flatMap(systemDir),
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--perms",
    "1777",
    "--tmpfs",
    "/dev/shm",
    ...["/tmp", "/var/tmp", "/run", "/home/app"].flatMap((path) => ["--perms", "1777", "--tmpfs", path]),
    "--perms",
    "0755",
    "--dir",
    "/run/starform",
    ...etc.flatMap((name) => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`]),
    "--ro-bind",
    join(dir, "passwd"),
    "/etc/passwd",
    "--ro-bind",
    join(dir, "group"),
    "/etc/group",
    ...toolBinds(tools),
    "--ro-bind",
    join(dir, "start"),
    "/run/starform/start",
    ...launch.cgroupView.flatMap(({ source, target }) => ["--ro-bind-try", source, target]),
    ...appBinds(launch, confinement),
    ...launch.volumes.flatMap(({ source, mountPath }) => ["--bind", source, mountPath]),
    "--chdir",
    "/",
    "--",
    ...(isRoot ? asUser(confinement.setpriv!, uid) : []),
    "/bin/sh",
    "/run/starform/start",
  ];
  return confinement.layer === "overlay" && isRoot ? overlaid(dir, image.tree, uid, bwrap) : bwrap;
}

/** Merged systems have a link to /usr, older ones a directory. */
function systemDir(name: string): string[] {
  return existsSync(`/${name}`)
    ? existsSync(`/usr/${name}`)
      ? ["--symlink", `usr/${name}`, `/${name}`]
      : ["--ro-bind", `/${name}`, `/${name}`]
    : [];
}

const toolBinds = ({ node, npmRoot }: AppTools): string[] => [
  "--ro-bind",
  node,
  "/opt/starform/bin/node",
  ...(npmRoot
    ? [
        "--ro-bind",
        npmRoot,
        "/opt/starform/lib/npm",
        ...["npm", "npx"].flatMap((name) => [
          "--symlink",
          `../lib/npm/bin/${name}-cli.js`,
          `/opt/starform/bin/${name}`,
        ]),
      ]
    : []),
];

function appBinds({ dir, image }: Launch, { layer }: Confinement): string[] {
  if (layer === "overlay") return ["--bind", join(dir, "merged"), "/app"];
  if (layer === "bwrap") return ["--overlay-src", image.tree, "--tmp-overlay", "/app"];
  return ["--ro-bind", image.tree, "/app"];
}

/** The layer is mounted in a mount namespace of the instance: it goes with it, however that ends. */
function overlaid(dir: string, tree: string, uid: number, command: readonly string[]): string[] {
  for (const name of ["upper", "work", "merged"]) mkdirSync(join(dir, name), { recursive: true });
  chownSync(join(dir, "upper"), uid, uid);
  chmodSync(join(dir, "upper"), 0o777);
  const script =
    'cd "$1" && mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" merged && shift 2 && exec "$@"';
  const escaped = tree.replaceAll(/[\\:,]/g, String.raw`\$&`);
  return [
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "sh",
    "-c",
    script,
    "sh",
    dir,
    escaped,
    ...command,
  ];
}

/** Without a sandbox there is no /app: paths below it are told where the tree really lies. */
const seenFromOutside =
  (tree: string) =>
  (text: string): string =>
    text.replaceAll(/(^|:)\/app(?=\/|:|$)/g, `$1${tree}`);
