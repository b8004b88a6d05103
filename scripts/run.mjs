// Runs a TypeScript program of this repository with the right Node, installing the packages first if they are
// missing or not those of the lock file. It must itself run on Node 20 without any package.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installPackages, isInstalled } from "./install.mjs";

const nodeMajorMin = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function main([script, ...args]) {
  if (!script) return fail("usage: node scripts/run.mjs <script.ts> [arguments]");
  if (!isInstalled(root)) await installPackages(root);
  const node = findNode();
  if (!node)
    return fail(
      `Starform needs Node ${nodeMajorMin} or later; this machine has ${process.version}, and npm has no Node package for ${process.platform}-${process.arch}. ` +
        `Install Node ${nodeMajorMin} from https://nodejs.org and type the command again.`,
    );
  return runChild(node, [join(root, script), ...args]);
}

/** This Node if it is new enough, else the one that came with the packages. */
function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= nodeMajorMin) return process.execPath;
  const packages = [
    `node-${process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
  ];
  const candidates = [
    join(root, "node_modules/.bin/node"),
    ...packages.map((name) => join(root, "node_modules", name, "bin/node")),
  ];
  return candidates
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path))
    .find(isNewEnough);
}

const isNewEnough = (node) => {
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  return Number(/^v(\d+)\./.exec(stdout ?? "")?.[1]) >= nodeMajorMin;
};

/** Waits for the program, hands it every signal, and ends as it ended. */
function runChild(node, args) {
  const bin = join(root, "node_modules/.bin");
  // Node keeps what it compiled: the next start of any program reads that in place of the TypeScript.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(root, "node_modules/.cache/node");
  const path = [dirname(node), bin, process.env.PATH].join(":");
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled, PATH: path };
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...args], { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // The shell that npm puts between ends on SIGTERM without passing it on: losing the parent means the same.
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), 300);
  if (!process.env.npm_lifecycle_event) clearInterval(watch);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(fail(`${node} did not start: ${error.message}`)));
    child.once("exit", (code, signal) => {
      clearInterval(watch);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

function fail(sentence) {
  console.error(sentence);
  return 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => fail(error.message));
