import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { copyFile, cp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundleCli } from "./bundle-cli.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

type Manifest = {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly publishConfig?: object;
};
type Workspace = { readonly dir: string; readonly manifest: Manifest };

/** `stage` is the folder that was packed; the files are named from there. */
export type Archive = {
  readonly path: string;
  readonly stage: string;
  readonly files: readonly string[];
  readonly bytes: number;
};

const workspaces: readonly Workspace[] = ["packages", "apps"].flatMap((kind) =>
  readdirSync(join(root, kind)).map((name) => {
    const dir = join(root, kind, name);
    return { dir, manifest: JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as Manifest };
  }),
);

/** The workspaces that are published: those whose package.json says how, in `publishConfig`. */
const published = workspaces.filter(({ manifest }) => manifest.publishConfig);

/** Makes the archive of each published package in the folder, which is emptied first. Rejects with what does not fit. */
export async function packPublished(dir: string): Promise<readonly Archive[]> {
  await rm(dir, { recursive: true, force: true });
  const archives: Archive[] = [];
  for (const workspace of published) {
    const stage = join(dir, basename(workspace.dir));
    await stagePackage(workspace, stage);
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", dir], { cwd: stage });
    type Packed = { filename: string; size: number; files: { path: string }[] };
    for (const { filename, size, files } of JSON.parse(stdout) as Packed[])
      archives.push({ path: join(dir, filename), stage, files: files.map(({ path }) => path), bytes: size });
  }
  return archives;
}

/**
 * Makes the folder that a workspace is published from: in `dist` what Node runs, its README, the licence, and a
 * package.json that points there. A library is compiled file by file, with types and source maps, and names the packages it
 * needs; a program is bundled with them. Rejects when a library needs a workspace that is not published.
 */
async function stagePackage({ dir, manifest }: Workspace, stage: string): Promise<void> {
  await mkdir(join(stage, "dist"), { recursive: true });
  await copyFile(join(root, "LICENSE"), join(stage, "LICENSE"));
  await copyFile(join(dir, "README.md"), join(stage, "README.md"));
  const staged = JSON.stringify(stagedManifest(manifest), undefined, 2);
  await writeFile(join(stage, "package.json"), `${staged}\n`);
  await (manifest.bin ? bundleCli(join(stage, "dist")) : compile(join(dir, "src"), stage));
}

function stagedManifest({ exports = {}, dependencies = {}, ...others }: Manifest) {
  const kept = { ...others, private: undefined, devDependencies: undefined, files: ["dist"] };
  if (others.bin) return kept;
  return {
    ...kept,
    exports: Object.fromEntries(Object.entries(exports).map(([name, path]) => [name, compiled(path)])),
    dependencies: Object.fromEntries(Object.entries(dependencies).map(wanted)),
  };
}

/** Compiled inside of the stage, so that source maps and messages name no folder of this machine. */
async function compile(source: string, stage: string): Promise<void> {
  const at = (path: string) => join(stage, path);
  await cp(source, at("src"), { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
  await cp(source, at("dist"), { recursive: true, filter: (path) => !path.endsWith(".ts") });
  await symlink(join(root, "node_modules"), at("node_modules"));
  await writeFile(at("tsconfig.json"), JSON.stringify(compilerConfig));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  await run(process.execPath, [compiler, "-p", "."], { cwd: stage }).catch(
    ({ stdout }: { stdout: string }) => {
      throw new Error(`${source} does not compile:\n${stdout}`);
    },
  );
  for (const path of ["src", "node_modules", "tsconfig.json"]) await rm(at(path), { recursive: true });
}

const compilerConfig = {
  extends: join(root, "tsconfig.json"),
  compilerOptions: {
    noEmit: false,
    rewriteRelativeImportExtensions: true,
    declaration: true,
    sourceMap: true,
    inlineSources: true,
    rootDir: "src",
    outDir: "dist",
  },
  include: ["src"],
  exclude: [],
};

const compiled = (source: string) => {
  const made = source.replace("./src/", "./dist/").replace(/\.ts$/, "");
  return { types: `${made}.d.ts`, default: `${made}.js` };
};

/** Newer ones of the same major version will do, so that whoever installs several packages has one of each. */
function wanted([name, version]: [string, string]): [string, string] {
  const ours = workspaces.find(({ manifest }) => manifest.name === name);
  if (ours && !published.includes(ours))
    throw new Error(
      `a published package needs ${name}, which is not: give its package.json a publishConfig, or do without it`,
    );
  return [name, `^${version}`];
}
