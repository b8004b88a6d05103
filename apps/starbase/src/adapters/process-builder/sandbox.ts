import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { resolverFile } from "./build-network.ts";
import type { MachineTools } from "./machine-tools.ts";
import { findProgram } from "./program.ts";

/** Where the parts of one build's work tree lie on the machine. */
export type Rooms = {
  /** Seen as /app. */
  readonly app: string;
  /** Seen as /root, the home directory. */
  readonly home: string;
  readonly tmp: string;
  /** Seen as /opt: where some tools want to be installed. */
  readonly opt: string;
  /** Folders that live between builds: where they are seen, where they lie. */
  readonly mounts: readonly { readonly at: string; readonly from: string }[];
  /** Tools that were brought for the build (pnpm, yarn …), by name; writable only while one is installed. */
  readonly tools: readonly { readonly name: string; readonly from: string; readonly isWritable: boolean }[];
};

/**
 * How commands of a build are kept apart from the machine. `bubblewrap`: namespaces of their own, a file system that
 * holds the system's programs, the work tree and nothing else. `plain`: nothing but another user, if that.
 */
export type Sandbox = {
  readonly kind: "bubblewrap" | "plain";
  /** What the log says about it. */
  readonly words: string;
  /** Who owns the work tree; undefined when builds run as the platform's own user. */
  readonly uid: number | undefined;
  /** Where the machine's tools are, for PATH. */
  readonly binDir: string;
  /** Where a brought tool is seen. */
  toolDir(tool: { name: string; from: string }): string;
  /** The program and arguments that run `command` (argv), which is found under the paths that the sandbox shows. */
  wrap(rooms: Rooms, command: readonly string[]): string[];
  /** A command or value of a plan, which speaks of /app, /root and /opt, in the paths that commands see. */
  adapt(rooms: Rooms, text: string): string;
};

/** Where the sandbox shows what is ours: on no path that a machine has. */
const own = "/run/starform";

/** What setpriv needs to become the builder, and nothing else; it gives these up too. */
const caps = [
  "--cap-drop ALL",
  "--cap-add CAP_SETUID",
  "--cap-add CAP_SETGID",
  "--cap-add CAP_SETPCAP",
].flatMap((one) => one.split(" "));
const asBuilder = (setpriv: string): string[] => [
  setpriv,
  `--reuid=${builderUid}`,
  `--regid=${builderUid}`,
  "--clear-groups",
  "--bounding-set=-all",
  "--no-new-privs",
];
const apart = [
  "--unshare-pid",
  "--unshare-ipc",
  "--unshare-uts",
  "--unshare-cgroup-try",
  "--die-with-parent",
  "--new-session",
  "--hostname",
  "build",
  "--proc",
  "/proc",
  "--dev",
  "/dev",
];
/** Made by hand because bubblewrap keeps the folders it makes on the way to itself, and the command is another user. */
const openFolders = ["/etc", "/var", "/run", own, `${own}/bin`, `${own}/lib`, `${own}/tools`].flatMap(
  (folder) => ["--perms", "0755", "--dir"].concat(folder),
);

/** A number no Debian account has; one for all builds, which never see each other's files. */
const builderUid = 64_321;

/** Looks once what this machine allows. `dir` is for two small files the sandbox shows as /etc/passwd and /etc/group. */
export function openSandbox(dir: string, tools: MachineTools, isWanted = true): Sandbox {
  if (!isWanted) return plain(tools, "this installation is configured without one");
  const isRoot = process.getuid?.() === 0;
  const [bwrap, setpriv] = [findProgram("bwrap"), findProgram("setpriv")];
  if (process.platform !== "linux" || !bwrap)
    return plain(tools, "bubblewrap is not installed (on Debian: apt-get install bubblewrap)");
  if (isRoot && !setpriv)
    return plain(tools, "setpriv is not installed (on Debian: apt-get install util-linux)");
  mkdirSync(dir, { recursive: true });
  const uid = isRoot ? builderUid : (process.getuid?.() ?? 0);
  writeFileSync(
    path.join(dir, "passwd"),
    `root:x:0:0::/root:/bin/sh\nbuilder:x:${uid}:${uid}::/root:/bin/sh\n`,
  );
  writeFileSync(path.join(dir, "group"), `root:x:0:\nbuilder:x:${uid}:\n`);
  const sandbox: Sandbox = {
    kind: "bubblewrap",
    words: "sandbox: bubblewrap",
    uid: isRoot ? uid : undefined,
    binDir: `${own}/bin`,
    toolDir: ({ name }) => `${own}/tools/${name}`,
    wrap: (rooms, command) => [
      bwrap,
      ...(isRoot ? caps : ["--unshare-user"]),
      ...apart,
      ...openFolders,
      ...systemBinds(dir),
      ...toolBinds(tools),
      ...[
        ["--bind", rooms.tmp, "/tmp"],
        ["--bind", rooms.tmp, "/var/tmp"],
        ["--bind", rooms.home, "/root"],
        ["--bind", rooms.opt, "/opt"],
        ["--bind", rooms.app, "/app"],
        ...rooms.tools.map(({ name, from, isWritable }) => [
          isWritable ? "--bind" : "--ro-bind",
          from,
          `${own}/tools/${name}`,
        ]),
        ...rooms.mounts.map(({ at, from }) => ["--bind", from, at]),
        ["--chdir", "/app"],
      ].flat(),
      ...(isRoot && setpriv ? asBuilder(setpriv) : []),
      ...command,
    ],
    adapt: (_rooms, text) => text,
  };
  return works(sandbox, dir) ? sandbox : plain(tools, "bubblewrap cannot make namespaces on this machine");
}

function works(sandbox: Sandbox, dir: string): boolean {
  const rooms = {
    app: path.join(dir, "probe"),
    home: path.join(dir, "probe"),
    tmp: path.join(dir, "probe"),
    opt: path.join(dir, "probe"),
    mounts: [],
    tools: [],
  };
  mkdirSync(rooms.app, { recursive: true });
  const [program, ...args] = sandbox.wrap(rooms, ["/bin/sh", "-c", "exit 0"]);
  try {
    execFileSync(program!, args, { stdio: "ignore", env: {}, timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

const plain = (tools: MachineTools, why: string): Sandbox => ({
  kind: "plain",
  words: `NO SANDBOX: ${why}; this build's commands run as the platform's own user and can read what it can read`,
  uid: undefined,
  binDir: tools.binDir,
  toolDir: ({ from }) => from,
  wrap: (_rooms, command) => [...command],
  adapt: ({ app, home, opt }, text) =>
    text.replace(
      /(?<![\w.~-])\/(app|root|opt)(?=$|[/:"'\s;&|])/g,
      (_all, top: string) => ({ app, root: home, opt })[top]!,
    ),
});

/** Of the machine's /etc what programs need to run and to reach the network; nothing that names its users or keys. */
const etc = [
  "alternatives", "ca-certificates", "ca-certificates.conf", "gai.conf", "host.conf", "hosts", "ld.so.cache",
  "ld.so.conf", "ld.so.conf.d", "localtime", "maven", "mime.types", "nsswitch.conf", "npmrc", "pip.conf", "pki", "protocols", "resolv.conf",
  "services", "ssl",
]; // prettier-ignore

function toolBinds({ binDir, nodePath, packages }: MachineTools): string[] {
  const python = path.join(binDir, "python");
  const binds = [["--ro-bind", nodePath, `${own}/bin/node`]];
  for (const { name, home, file } of packages)
    binds.push(
      ["--ro-bind", home, `${own}/lib/${name}`],
      ["--symlink", `../lib/${name}/${file}`, `${own}/bin/${name}`],
    );
  if (existsSync(python)) binds.push(["--ro-bind", python, `${own}/bin/python`]);
  return binds.flat();
}

function systemBinds(dir: string): string[] {
  const binds = ["--ro-bind", "/usr", "/usr"];
  for (const top of ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]) {
    if (!existsSync(top)) continue;
    binds.push(
      ...(lstatSync(top).isSymbolicLink() ? ["--symlink", readlinkSync(top), top] : ["--ro-bind", top, top]),
    );
  }
  // Debian keeps the settings of each Java outside of it, and Java does not start without them.
  const java = readdirSync("/etc").filter((name) => /^java-\d+-/.test(name));
  for (const name of [...etc, ...java]) {
    const file = `/etc/${name}`;
    const from = name === "resolv.conf" ? resolverFile() : file;
    if (existsSync(from)) binds.push("--ro-bind", realpathSync(from), file);
  }
  return [
    ...binds,
    "--ro-bind",
    path.join(dir, "passwd"),
    "/etc/passwd",
    "--ro-bind",
    path.join(dir, "group"),
    "/etc/group",
  ];
}
