import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { bundledPackages, type BundledPackage } from "./bundled-packages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The images of our own programs: what is bundled, and as what. */
export const images = {
  shuttle: { entry: "apps/shuttle/bin/shuttle.ts", program: "shuttle.mjs" },
} as const;
export type ImageName = keyof typeof images;

export type ImageContext = {
  readonly dir: string;
  readonly version: string;
  /** The commit that it was made of; undefined outside of a repository. */
  readonly revision: string | undefined;
  readonly packages: readonly BundledPackage[];
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
  const made = await bundle.write({
    dir: join(dir, "app"),
    format: "esm",
    entryFileNames: program,
    chunkFileNames: "parts/[name]-[hash].mjs",
  });
  await bundle.close();
  await copyFile(join(root, "deploy/images", name, "Dockerfile"), join(dir, "Dockerfile"));
  const manifest = await readFile(join(root, dirname(dirname(entry)), "package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const context = { dir, version, revision: revisionOf(), packages: await bundledPackages(made) };
  const text = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  await writeFile(join(dir, "app/sbom.cdx.json"), text(componentList(name, context)));
  await writeFile(join(dir, "app/provenance.json"), text(await provenance(name, context)));
  return context;
}

const purlOf = ({ name, version }: BundledPackage): string =>
  `pkg:npm/${name.replace("@", "%40")}@${version}`;

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
