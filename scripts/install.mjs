// Brings node_modules to what package-lock.json says. Runs on Node 20 without any package.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

const stampOf = (root) => join(root, "node_modules/.starform-lock");
const digestOf = (root) =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");

/** Whether node_modules holds what the lock file names. The answer is stamped, so that asking again costs nothing. */
export function isInstalled(root) {
  const digest = digestOf(root);
  if (read(stampOf(root))?.trim() === digest) return true;
  if (!matches(root)) return false;
  stamp(root, digest);
  return true;
}

/** Runs `npm ci` without install scripts; other starts of the same clone wait for the one that installs. */
export async function installPackages(root) {
  const release = await takeTurn(join(root, ".starform-install"));
  try {
    if (isInstalled(root)) return;
    const digest = digestOf(root);
    const startedAt = Date.now();
    const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
    const isTerminal = process.stderr.isTTY;
    const show = (text) => process.stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    show("… Installing packages (the first time: half a minute and 1.3 GB of disk)");
    const ticker = setInterval(
      () => show(`… Installing packages  ${seconds()}`),
      isTerminal ? 1_000 : 15_000,
    );
    const { code, said } = await npmCi(root).finally(() => clearInterval(ticker));
    if (code !== 0) throw new Error(`${isTerminal ? "\n" : ""}${explain(said, code)}`);
    stamp(root, digest);
    show(`✓ Packages installed  ${seconds()}\n`);
  } finally {
    release();
  }
}

function npmCi(root) {
  const args = [
    "ci",
    "--ignore-scripts",
    "--include=dev",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const npm = process.env.npm_execpath?.endsWith(".js")
    ? [process.execPath, process.env.npm_execpath]
    : ["npm"];
  const child = spawn(npm[0], [...npm.slice(1), ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => (said = (said + chunk).slice(-8_000)));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: 127, said: error.message }));
    child.once("close", (code) => resolve({ code, said }));
  });
}

function explain(said, code) {
  const last = said.trim().split("\n").slice(-15).join("\n");
  const why = /ENOSPC/.test(said)
    ? "the disk is full: free about 1.5 GB and type the command again"
    : /EUSAGE|Missing:.*from lock file/.test(said)
      ? "package-lock.json does not fit package.json: run npm install, then npm run lock"
      : /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|network/i.test(said)
        ? "the npm registry cannot be reached: check the connection (or npm config get registry) and type the command again"
        : "type npm ci --ignore-scripts to see it by itself";
  return `The packages could not be installed (npm ci ended with ${code}): ${why}.\n${last}`;
}

/** npm writes down what it installed; that, and not its time, is compared, so an `npm install` by hand is respected. */
function matches(root) {
  const installed = parse(join(root, "node_modules/.package-lock.json"));
  const wanted = parse(join(root, "package-lock.json"));
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(([path, { version, link, optional, dev, peer }]) => {
    if (path === "") return true;
    const found = installed[path];
    if (link) return Boolean(found);
    return found
      ? found.version === version
      : Boolean(optional || (peer && !dev)) || !path.includes("node_modules/");
  });
}

const parse = (path) => {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
};

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

function stamp(root, digest) {
  const draft = `${stampOf(root)}.${process.pid}`;
  writeFileSync(draft, `${digest}\n`);
  renameSync(draft, stampOf(root));
}

/** A folder as a lock; one left by a killed install is taken over after its process is gone. */
async function takeTurn(path) {
  for (;;) {
    try {
      mkdirSync(dirname(path), { recursive: true });
      mkdirSync(path);
      writeFileSync(join(path, "pid"), String(process.pid));
      return () => rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const pid = Number(read(join(path, "pid")));
    const isOld = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 5_000;
    if (pid ? !isAlive(pid) : isOld) rmSync(path, { recursive: true, force: true });
    else await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
