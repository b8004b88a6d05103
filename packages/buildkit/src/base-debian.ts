import { execFile, spawn } from "node:child_process";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { setPriority } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { exists } from "./base-node.ts";

const run = promisify(execFile);

/** What the images hold beside Debian's essentials and apt; the builder has the runtime's too. */
const packages = {
  runtime: ["ca-certificates", "python3", "tzdata"],
  builder: "build-essential curl git pkg-config python3-dev python3-pip python3-venv unzip xz-utils".split(
    " ",
  ),
} as const;
export type Role = keyof typeof packages;

/** Nothing here must survive a power cut, so dpkg need not wait for the disk after every file. */
const withoutSync = "--dpkgopt=force-unsafe-io";
const withoutDocs = ["doc", "man", "info", "locale", "lintian"].map(
  (dir) => `--dpkgopt=path-exclude=/usr/share/${dir}/*`,
);

export type Debian = { readonly suite: string; readonly sources: readonly string[] };

/** Debian's release and sources as this machine has them; undefined where the machine is not a Debian. */
export async function debianOfMachine(): Promise<Debian | undefined> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || suite === undefined) return undefined;
  const sources = (await sourceTexts()).flatMap((text) => sourceLines(text, suite));
  return sources.length > 0 ? { suite, sources } : undefined;
}

async function sourceTexts(): Promise<string[]> {
  const dir = "/etc/apt/sources.list.d";
  const names = (await readdir(dir).catch(() => [])).toSorted().map((name) => join(dir, name));
  return Promise.all(
    ["/etc/apt/sources.list", ...names].map((path) => readFile(path, "utf8").catch(() => "")),
  );
}

/** Both of apt's formats, as one line a source; of other vendors' sources none. */
export function sourceLines(text: string, suite: string): string[] {
  const found = text.split(/\n{2,}/).flatMap((paragraph) => {
    const field = (name: string): string[] =>
      (new RegExp(`^${name}:(.*)$`, "m").exec(paragraph)?.[1] ?? "").trim().split(/\s+/).filter(Boolean);
    return field("URIs").flatMap((uri) =>
      field("Suites").map((one) => ({ uri, suite: one, components: field("Components") })),
    );
  });
  const lines = text.split("\n").flatMap((line) => {
    const [, uri, one, components] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim()) ?? [];
    return uri && one && components ? [{ uri, suite: one, components: components.split(/\s+/) }] : [];
  });
  return [...found, ...lines]
    .filter((source) => new RegExp(`^${suite}(-|$)`).test(source.suite) && source.components.includes("main"))
    .filter(({ suite: one }) => !one.endsWith("-backports"))
    .map(({ uri, suite: one }) => `deb ${uri} ${one} main`);
}

/** True when the first source answers within five seconds. */
export function isReachable({ suite, sources }: Debian): Promise<boolean> {
  const uri = sources[0]?.split(" ")[1] ?? "";
  const url = `${uri.replace(/\/$/, "")}/dists/${suite}/InRelease`;
  if (!/^https?:/.test(url)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const send = url.startsWith("https:") ? requestHttps : requestHttp;
    const asked = send(url, { method: "HEAD", timeout: 5_000 }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 400);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false)).end();
  });
}

/** True when a Debian tree can be made here: root, and mmdebstrap there or installable. */
export async function canDebootstrap(log: (line: string) => void): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  if (await hasProgram("mmdebstrap")) return true;
  log("installing Debian's mmdebstrap, which makes the base images");
  // Two platforms of a machine may come to this at once: the second waits.
  const args = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", "mmdebstrap"];
  const installed = await run("apt-get", args, { env: quietApt() }).catch(() => undefined);
  return installed !== undefined && (await hasProgram("mmdebstrap"));
}

const quietApt = (): NodeJS.ProcessEnv => ({ ...process.env, DEBIAN_FRONTEND: "noninteractive" });

const hasProgram = async (name: string): Promise<boolean> =>
  (await Promise.all(["/usr/bin", "/usr/local/bin", "/bin"].map((dir) => exists(join(dir, name))))).includes(
    true,
  );

/** What identifies a Debian tree: the same words give the same image. */
export const debianRecipe = (role: Role, { suite, sources }: Debian): string =>
  JSON.stringify([2, suite, sources, packages[role]]);

/** Adds the builder's packages to a runtime tree, from inside of it. */
export const installBuilderPackages = [
  "apt-get update",
  `apt-get install -y --no-install-recommends ${packages.builder.join(" ")}`,
  "apt-get clean",
  "rm -rf /var/lib/apt/lists/*",
].join(" && ");

/** The tar of the runtime's Debian tree, made once and kept as `path`. Rejects with mmdebstrap's last words. */
export async function debianTar({ suite, sources }: Debian, path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.size) return;
  await mkdir(join(path, ".."), { recursive: true });
  const partial = `${path}.${process.pid}.partial.tar`;
  const include = `--include=${packages.runtime.join(",")}`;
  const args = ["--variant=apt", "--mode=root", include, ...withoutDocs, withoutSync, suite, partial, "-"];
  try {
    await mmdebstrap(args, sources.join("\n"));
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

function mmdebstrap(args: readonly string[], sources: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("mmdebstrap", args, { stdio: ["pipe", "ignore", "pipe"], env: quietApt() });
    let tail = "";
    // It takes a minute of processor time, and people wait for the platform meanwhile.
    if (child.pid !== undefined) setPriority(child.pid, 10);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (tail = (tail + text).slice(-2000)));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`mmdebstrap ended with ${code}: ${tail}`)),
    );
    child.stdin.end(`${sources}\n`);
  });
}
