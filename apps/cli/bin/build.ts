// Makes the package that npx runs: `dist/starform.mjs` with its lazily loaded parts, and a package.json beside it.
import { chmod, copyFile, cp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const here = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { version, license } = JSON.parse(await readFile(here("package.json"), "utf8")) as Record<
  string,
  string
>;

const out = process.argv[2] ? resolve(process.argv[2]) : here("dist");
await rm(out, { recursive: true, force: true });
const thread = (name: string) => ({
  [name]: fileURLToPath(import.meta.resolve(`@starform/build-plan/${name}`)),
});
const bundle = await rolldown({
  // The planner starts its threads from files beside the part that holds them.
  input: { starform: here("bin/starform.ts"), ...thread("planning-thread"), ...thread("proposing-thread") },
  platform: "node",
});
const { output } = await bundle.write({
  dir: out,
  format: "esm",
  entryFileNames: ({ name }) => (name === "starform" ? "starform.mjs" : `parts/${name}.mjs`),
  chunkFileNames: "parts/[name]-[hash].mjs",
});
await bundle.close();

const manifest = {
  name: "@starform/cli",
  version,
  license,
  description:
    "The command line of Starform: push a Git repository or a folder, and the app is built and runs",
  type: "module",
  bin: { starform: "starform.mjs" },
  files: ["starform.mjs", "parts"],
  engines: { node: ">=24" },
};
// The planner reads this one as a file, beside the part that holds it.
await copyFile(
  fileURLToPath(import.meta.resolve("@starform/build-plan/static-server/carry-static-server")).replace(
    "carry-static-server.ts",
    "serve.mjs",
  ),
  join(out, "parts/serve.mjs"),
);
// What a cluster is installed with is read as files too.
await cp(here("../../deploy/cluster"), join(out, "parts/cluster"), { recursive: true });
await writeFile(join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await chmod(join(out, "starform.mjs"), 0o755);
const bytes = output.reduce(
  (sum, part) => sum + (part.type === "chunk" ? part.code.length : part.source.length),
  0,
);
console.log(`dist/starform.mjs and ${output.length - 1} parts, ${Math.round(bytes / 1_000)} kB`);
