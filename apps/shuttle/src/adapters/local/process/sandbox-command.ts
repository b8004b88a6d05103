import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { AppTools } from "./app-tools.ts";
import type { Confinement } from "./confinement.ts";
import type { Launch } from "./launcher.ts";

/** What the sandbox shows of /etc: names and certificates, nothing of this machine's own. */
const etc =
  "alternatives ca-certificates crypto-policies fonts gai.conf host.conf ld.so.cache ld.so.conf ld.so.conf.d localtime magic mime.types networks nsswitch.conf pki protocols resolv.conf services ssl timezone".split(
    " ",
  );
/** bubblewrap would keep the directories it makes on its way to root. */
const openDirs = ["/etc", "/home", "/sys", "/sys/fs", "/sys/fs/cgroup", "/var"];
const privateDirs = ["/tmp", "/var/tmp", "/run", "/home/app"];
/** Where the builder shows them too, so that a path noted there is good here. */
const own = "/run/starform";

/** The command that runs the instance's `start` in a sandbox: its own processes and files, the machine's programs, no more. */
export function sandboxCommand(launch: Launch, tools: AppTools, confinement: Confinement): string[] {
  const { dir, image, uid } = launch;
  const { bwrap, setpriv, layer } = confinement;
  const words = [
    [bwrap!, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", launch.hostname],
    setpriv ? [] : ["--unshare-user", ...ownIds(), "--cap-drop", "ALL"],
    launch.cgroupView.length > 0 ? ["--unshare-cgroup-try"] : [],
    ["--die-with-parent", "--new-session", "--clearenv"],
    openDirs.flatMap((path) => ["--perms", "0755", "--dir", path]),
    ["--ro-bind", "/usr", "/usr"],
    ["bin", "sbin", "lib", "lib32", "lib64"].flatMap(systemDir),
    ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"],
    privateDirs.flatMap((path) => ["--perms", "1777", "--tmpfs", path]),
    [...etc, ...javaSettings()].flatMap((name) => ["--ro-bind-try", `/etc/${name}`, `/etc/${name}`]),
    hostsBind(launch),
    accountBinds(dir, setpriv ? uid : (process.getuid?.() ?? 1_000)),
    toolBinds(tools),
    ["--ro-bind", join(dir, "start"), `${own}/start`],
    launch.cgroupView.flatMap(({ source, target }) => ["--ro-bind-try", source, target]),
    appBinds(dir, image.tree, layer),
    launch.volumes.flatMap(({ source, mountPath }) => ["--bind", source, mountPath]),
    ["--chdir", "/", "--"],
    setpriv ? asUser(setpriv, uid) : [],
    ["/bin/sh", `${own}/start`],
  ].flat();
  return layer === "overlay" ? overlaid(dir, image.tree, setpriv ? uid : undefined, words) : words;
}

/** Gives up every right of root for good. */
export const asUser = (setpriv: string, uid: number): string[] =>
  [
    [setpriv, "--reuid", String(uid), "--regid", String(uid), "--clear-groups"],
    ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"],
  ].flat();

/** Merged systems have a link to /usr, older ones a directory. */
function systemDir(name: string): string[] {
  if (!existsSync(`/${name}`)) return [];
  return existsSync(`/usr/${name}`)
    ? ["--symlink", `usr/${name}`, `/${name}`]
    : ["--ro-bind", `/${name}`, `/${name}`];
}

/** Debian keeps the settings of each Java outside of it, and Java does not start without them. */
const javaSettings = (): string[] => readdirSync("/etc").filter((name) => /^java-\d+-/.test(name));

/**
 * The apps that this one is told of in its variables are reached through the gateway, on this machine's own loopback;
 * few resolvers know that every name below `localhost` is there.
 */
function hostsBind({ dir, env }: Launch): string[] {
  const names = new Set(Object.values(env).flatMap((value) => value.match(/[a-z0-9-]+\.localhost\b/g) ?? []));
  if (names.size === 0) return ["--ro-bind-try", "/etc/hosts", "/etc/hosts"];
  const known = existsSync("/etc/hosts")
    ? readFileSync("/etc/hosts", "utf8").trimEnd()
    : "127.0.0.1 localhost";
  const own = [...names].map((name) => `127.0.0.1 ${name}\n`).join("");
  writeFileSync(join(dir, "hosts"), `${known}\n${own}`, { mode: 0o444 });
  return ["--ro-bind", join(dir, "hosts"), "/etc/hosts"];
}

/** Programs that ask who they are get an answer. */
function accountBinds(dir: string, uid: number): string[] {
  const texts = {
    passwd: `root:x:0:0:root:/root:/bin/sh\napp:x:${uid}:${uid}::/home/app:/bin/sh\n`,
    group: `root:x:0:\napp:x:${uid}:\n`,
  };
  return Object.entries(texts).flatMap(([name, text]) => {
    writeFileSync(join(dir, name), text, { mode: 0o444 });
    return ["--ro-bind", join(dir, name), `/etc/${name}`];
  });
}

function toolBinds({ node, npmRoot }: AppTools): string[] {
  const npm = ["npm", "npx"].flatMap((name) => [
    "--symlink",
    `../lib/npm/bin/${name}-cli.js`,
    `${own}/bin/${name}`,
  ]);
  const needsPython = existsSync("/usr/bin/python3") && !existsSync("/usr/bin/python");
  return [
    ["", "/bin", "/lib"].flatMap((name) => ["--perms", "0755", "--dir", own + name]),
    ["--ro-bind", node, `${own}/bin/node`],
    npmRoot ? ["--ro-bind", npmRoot, `${own}/lib/npm`, ...npm] : [],
    needsPython ? ["--symlink", "/usr/bin/python3", `${own}/bin/python`] : [],
  ].flat();
}

function appBinds(dir: string, tree: string, layer: Confinement["layer"]): string[] {
  if (layer === "overlay") return ["--bind", join(dir, "merged"), "/app"];
  if (layer === "bwrap") return ["--overlay-src", tree, "--tmp-overlay", "/app"];
  return ["--ro-bind", tree, "/app"];
}

/** The layer is mounted in a mount namespace of the instance: it goes with it, however that ends. */
function overlaid(dir: string, tree: string, uid: number | undefined, command: readonly string[]): string[] {
  for (const name of ["upper", "work", "merged"]) mkdirSync(join(dir, name), { recursive: true });
  if (uid !== undefined) chownSync(join(dir, "upper"), uid, uid);
  chmodSync(join(dir, "upper"), 0o777);
  const lower = tree.replaceAll(/[\\:,]/g, String.raw`\$&`);
  return [...overlayMount(process.getuid?.() === 0), dir, lower, ...command];
}

/** Mounts `upper` over the second argument as `merged`, all in the directory of the first, and runs the others. */
export function overlayMount(isRoot: boolean): string[] {
  const options = `lowerdir=$2,upperdir=upper,workdir=work${isRoot ? "" : ",userxattr"}`;
  const script = `cd "$1" && mount -t overlay overlay -o "${options}" merged && shift 2 && exec "$@"`;
  const namespaces = isRoot ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  return ["unshare", ...namespaces, "--propagation", "private", "sh", "-c", script, "sh"];
}

/** Inside it is the user that Shuttle is, and not the root of the namespace that the layer needs. */
const ownIds = (): string[] => [
  "--uid",
  String(process.getuid?.() ?? 1_000),
  "--gid",
  String(process.getgid?.() ?? 1_000),
];
