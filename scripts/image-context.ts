import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The images of our own programs: what is bundled, and as what. */
export const images = {
  shuttle: { entry: "apps/shuttle/bin/shuttle.ts", program: "shuttle.mjs" },
} as const;
export type ImageName = keyof typeof images;

type Package = { readonly name: string; readonly version: string; readonly license?: string };
export type ImageContext = {
  readonly dir: string;
  readonly version: string;
  /** The commit that it was made of; undefined outside of a repository. */
  readonly revision: string | undefined;
  readonly packages: readonly Package[];
};

/**
 * Makes the folder that an image is built from: its Dockerfile, and in `app` the program in one file with its lazily loaded
 * parts, the list of what is bundled (CycloneDX) and where it came from (in-toto, SLSA provenance). The same sources give
 * the same bytes.
 */
export async function imageContext(name: ImageName, dir: string): Promise<ImageContext> {
  const { entry, program } = images[name];
  await rm(dir, { recursive: true, force: true });
  await mkdir(join(dir, "app"), { recursive: true });
  const bundle = await rolldown({ input: join(root, entry), platform: "node" });
  const { output } = await bundle.write({
    dir: join(dir, "app"),
    format: "esm",
    entryFileNames: program,
    chunkFileNames: "parts/[name]-[hash].mjs",
  });
  await bundle.close();
  await copyFile(join(root, "deploy/images", name, "Dockerfile"), join(dir, "Dockerfile"));
  const { version } = await manifestAt(join(root, dirname(dirname(entry))));
  const modules = output.flatMap((part) => (part.type === "chunk" ? Object.keys(part.modules) : []));
  const context = { dir, version, revision: revisionOf(), packages: await packagesOf(modules) };
  const text = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  await writeFile(join(dir, "app/sbom.cdx.json"), text(componentList(name, context)));
  await writeFile(join(dir, "app/provenance.json"), text(await provenance(name, context)));
  return context;
}

const manifestAt = async (folder: string): Promise<Package> =>
  JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Package;

/** The packages that the bundle's modules are of: what was left out of it is not in the image. */
async function packagesOf(modules: readonly string[]): Promise<readonly Package[]> {
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []);
  const found = await Promise.all([...new Set(folders)].map(manifestAt));
  const byName = found.map(({ name, version, license }) => ({ name, version, ...(license && { license }) }));
  return byName.toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

const purlOf = ({ name, version }: Package): string => `pkg:npm/${name.replace("@", "%40")}@${version}`;

const componentList = (name: ImageName, { version, packages }: ImageContext) => ({
  $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    component: { type: "application", "bom-ref": name, name: `starform-${name}`, version },
    tools: { components: [{ type: "application", name: "starform", version }] },
  },
  components: packages.map((one) => ({
    type: "library",
    "bom-ref": purlOf(one),
    name: one.name,
    version: one.version,
    purl: purlOf(one),
    ...(one.license && { licenses: [{ expression: one.license }] }),
  })),
});

async function provenance(name: ImageName, { dir, revision }: ImageContext) {
  const { program } = images[name];
  const digest = { sha256: await sha256Of(join(dir, "app", program)) };
  const lock = { sha256: await sha256Of(join(root, "package-lock.json")) };
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: `app/${program}`, digest }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://starform.dev/build-types/image-context/v1",
        externalParameters: { image: name },
        resolvedDependencies: [
          { uri: "package-lock.json", digest: lock },
          ...(revision ? [{ uri: "git", digest: { gitCommit: revision } }] : []),
        ],
      },
      runDetails: { builder: { id: "https://starform.dev/scripts/images" } },
    },
  };
}

const sha256Of = async (file: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(file))
    .digest("hex");

function revisionOf(): string | undefined {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined;
  }
}
