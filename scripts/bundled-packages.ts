import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RolldownOutput } from "rolldown";

export type BundledPackage = {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** Where it is installed. */
  readonly dir: string;
};

/** The packages that the bundle's modules are of, by name: what was left out of it is not in the list. */
export async function bundledPackages({ output }: RolldownOutput): Promise<readonly BundledPackage[]> {
  const modules = output.flatMap((part) => (part.type === "chunk" ? Object.keys(part.modules) : []));
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []);
  const found = await Promise.all([...new Set(folders)].map(packageAt));
  return found.toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

async function packageAt(dir: string): Promise<BundledPackage> {
  const { name, version, license } = JSON.parse(
    await readFile(join(dir, "package.json"), "utf8"),
  ) as BundledPackage;
  return { name, version, dir, ...(license && { license }) };
}

/** What the licences of bundled packages ask to be carried along: each one's name and its own text. */
export async function licenceTexts(packages: readonly BundledPackage[]): Promise<string> {
  const texts = packages.map(async ({ name, version, license, dir }) => {
    const files = (await readdir(dir)).filter((file) => /^(licen[cs]e|notice)/i.test(file)).toSorted();
    const read = await Promise.all(files.map((file) => readFile(join(dir, file), "utf8")));
    return [`${name} ${version}, ${license ?? "no licence named"}`, ...read.map((text) => text.trim())].join(
      "\n\n",
    );
  });
  return `${(await Promise.all(texts)).join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
