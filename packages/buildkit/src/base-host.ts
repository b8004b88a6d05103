import { execFile } from "node:child_process";
import { mkdir, realpath, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { exists, linkOrCopy, linkTree } from "./base-node.ts";

const run = promisify(execFile);

const programs = [
  ..."bash sh cat chmod chown cp cut date dirname basename du echo env expr false find grep egrep sed awk gawk mawk".split(
    " ",
  ),
  ..."head hostname id ln ls mkdir mktemp mv nproc od printf ps pwd readlink realpath rm rmdir sha256sum sleep sort".split(
    " ",
  ),
  ..."git make curl diff patch stat tail tar tee test timeout touch tr true uname uniq wc which xargs gzip gunzip xz unzip kill nice nohup".split(
    " ",
  ),
];
const searched = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"];

/**
 * A small system copied from this machine: its shell, the usual programs and the libraries they need. For where
 * no Debian mirror answers, and for tests; it has no package manager. Resolves to what it could not find.
 */
export async function copyHostSystem(root: string): Promise<string[]> {
  await makeSkeleton(root);
  const missing: string[] = [];
  const files = new Set<string>();
  for (const name of programs) {
    const path = await find(name);
    if (path === undefined) missing.push(name);
    else await addProgram(root, name, path, files);
  }
  await addPython(root, files);
  if (await exists("/usr/lib/git-core")) await addGit(root, files);
  for (const library of await librariesOf([...files, process.execPath])) await copyInto(root, library);
  return missing;
}

async function makeSkeleton(root: string): Promise<void> {
  for (const dir of [
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "usr/lib64",
    "etc",
    "tmp",
    "var/tmp",
    "root",
    "app",
    "run",
    "proc",
    "sys",
    "dev",
  ])
    await mkdir(join(root, dir), { recursive: true });
  for (const dir of ["bin", "sbin", "lib", "lib64"]) await symlink(`usr/${dir}`, join(root, dir));
  await writeFile(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  );
  await writeFile(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  await writeFile(join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
}

async function find(name: string): Promise<string | undefined> {
  for (const dir of searched) if (await exists(join(dir, name))) return join(dir, name);
  return undefined;
}

async function addProgram(root: string, name: string, path: string, files: Set<string>): Promise<void> {
  const real = await realpath(path);
  files.add(real);
  linkOrCopy(real, join(root, "usr/bin", name));
}

async function addPython(root: string, files: Set<string>): Promise<void> {
  const program = await realpath("/usr/bin/python3").catch(() => undefined);
  if (program === undefined) return;
  files.add(program);
  linkOrCopy(program, join(root, "usr/bin", basename(program)));
  await symlink(basename(program), join(root, "usr/bin/python3"));
  const library = join("/usr/lib", basename(program));
  const unwanted = [
    "**/__pycache__",
    "test",
    "**/tests",
    "idlelib",
    "config-*",
    "ensurepip",
    "sitecustomize.py",
  ];
  if (await exists(library)) linkTree(library, join(root, library), unwanted);
}

async function addGit(root: string, files: Set<string>): Promise<void> {
  const dir = "/usr/lib/git-core";
  await mkdir(join(root, dir), { recursive: true });
  for (const name of ["git-remote-http", "git-sh-setup", "git-submodule"]) {
    const real = await realpath(join(dir, name)).catch(() => undefined);
    if (real === undefined) continue;
    files.add(real);
    linkOrCopy(real, join(root, dir, name));
  }
  await symlink("git-remote-http", join(root, dir, "git-remote-https"));
}

/** The loader and the libraries, by ldd; those of name lookups, which programs load only when they run. */
async function librariesOf(programs: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  const { stdout } = await run("ldd", [...programs], { maxBuffer: 1 << 24 }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  for (const [, path] of stdout.matchAll(/(?:=>\s*|^\s+)(\/\S+)\s+\(0x/gm)) if (path) found.add(path);
  const dirs = new Set([...found].map((path) => dirname(path)));
  for (const dir of dirs)
    for (const name of [
      "libnss_files.so.2",
      "libnss_dns.so.2",
      "libresolv.so.2",
      "libexpat.so.1",
      "libffi.so.8",
      "libssl.so.3",
      "libcrypto.so.3",
      // What native addons of npm packages link, though nothing copied here does.
      "librt.so.1",
      "libdl.so.2",
      "libpthread.so.0",
      "libm.so.6",
      "libutil.so.1",
      "libanl.so.1",
      "libstdc++.so.6",
      "libgcc_s.so.1",
      "libatomic.so.1",
      "libz.so.1",
    ])
      if (await exists(join(dir, name))) found.add(join(dir, name));
  return found;
}

async function copyInto(root: string, path: string): Promise<void> {
  const inUsr = path.startsWith("/usr/") ? path : `/usr${path}`;
  await mkdir(join(root, dirname(inUsr)), { recursive: true });
  if ((await stat(path)).isFile()) linkOrCopy(path, join(root, inUsr));
}
