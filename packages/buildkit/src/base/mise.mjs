#!/usr/bin/env node
// Stands in for mise in Starform's own base images. The image brings Node and Python itself; package managers
// come from the npm registry; of anything else it says what it has instead of pretending.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const [command = "", ...args] = process.argv.slice(2);
const configFile = "/etc/mise/config.toml";
const installs = process.env.MISE_INSTALLS_DIR ?? "/mise/installs";
const shims = process.env.MISE_SHIMS_DIR ?? "/mise/shims";
const npmTools = { pnpm: "pnpm", yarn: "yarn", bun: "bun", deno: "deno" };
// Compilers whose programs run without them; what an app needs at run time too cannot be brought here.
const debianTools = { go: "golang-go", rust: "cargo", cmake: "cmake", ninja: "ninja-build" };
const builtIn = {
  rust: ["cargo", "--version"],
  node: ["node", "--version"],
  python: ["python3", "--version"],
  go: ["go", "version"],
  cmake: ["cmake", "--version"],
  ninja: ["ninja", "--version"],
};

if (["install", "use", "i"].includes(command)) installAll();
else if (["trust", "settings", "reshim", "cache", "version", "--version"].includes(command))
  process.stdout.write("");
else if (command === "exec" || command === "x") run(args.slice(args.indexOf("--") + 1));
else process.stderr.write(`mise: "${command}" is not needed in this base image\n`);

function installAll() {
  // As mise itself leaves them, so that whoever copies them finds them.
  for (const dir of [installs, shims, join(homedir(), ".local/state/mise")])
    mkdirSync(dir, { recursive: true });
  const tools = wanted().map(([tool, version]) => [tool.replace(/^(core|npm|aqua|asdf):/, ""), version]);
  fromDebian(tools.map(([tool]) => tool).filter((tool) => debianTools[tool] && !say(builtIn[tool])));
  let isComplete = true;
  for (const [tool, version] of tools) isComplete = install(tool, version) && isComplete;
  if (!isComplete) process.exit(1);
}

function wanted() {
  const text = readFileSync(configFile, "utf8");
  const tools = /\[tools\]([^[]*)/.exec(text)?.[1] ?? "";
  return [...tools.matchAll(/^"?([\w:@/.-]+)"?\s*=\s*"([^"]*)"/gm)].map(([, tool, version]) => [
    tool,
    version,
  ]);
}

function install(tool, version) {
  if (npmTools[tool]) return fromNpm(tool, npmTools[tool], version);
  const has = builtIn[tool] && say(builtIn[tool]);
  if (has)
    process.stdout.write(`${tool} ${version} was asked for; this base has ${has.replace(/^\D*/, "")}\n`);
  else
    process.stderr.write(
      `this base image has no ${tool} ${version}: let the machine that builds reach ghcr.io, or bring a Dockerfile\n`,
    );
  return Boolean(has);
}

function fromNpm(tool, name, version) {
  // Yarn's later versions are published under another name.
  const isBerry = name === "yarn" && Number.parseInt(version, 10) >= 2;
  const spec = `${isBerry ? "@yarnpkg/cli-dist" : name}@${version}`;
  const prefix = join(installs, tool, version);
  execFileSync("npm", ["install", "--global", "--prefix", prefix, "--no-audit", "--no-fund", spec], {
    stdio: "inherit",
  });
  for (const bin of readdirSync(join(prefix, "bin"))) {
    rmSync(join(shims, bin), { force: true });
    symlinkSync(join(prefix, "bin", bin), join(shims, bin));
    chmodSync(join(prefix, "bin", bin), 0o755);
  }
  process.stdout.write(`${tool} ${version} from the npm registry\n`);
  return true;
}

/** All at once: each call of apt-get costs seconds before it installs anything. */
function fromDebian(tools) {
  if (tools.length === 0 || !existsSync("/usr/bin/apt-get")) return;
  const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const packages = tools.map((tool) => debianTools[tool]);
  execFileSync("apt-get", ["update"], options);
  execFileSync("apt-get", ["install", "-y", "--no-install-recommends", ...packages], options);
}

function say([program, ...options]) {
  try {
    return execFileSync(program, options, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim()
      .split("\n", 1)[0];
  } catch {
    return "";
  }
}

function run([program = "true", ...rest]) {
  execFileSync(program, rest, { stdio: "inherit" });
}
