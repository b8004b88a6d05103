import { chmod, copyFile, cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { bundledPackages, licenceTexts } from "./bundled-packages.ts";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Makes the command line in one file with its lazily loaded parts; it needs no package beside it. */
export async function bundleCli(dir: string): Promise<void> {
  const planner = (name: string) => at(`packages/build-plan/src/${name}`);
  const bundle = await rolldown({
    input: {
      starform: at("apps/cli/bin/starform.ts"),
      // The planner starts its threads from files beside the part that holds them.
      "planning-thread": planner("planning-thread.ts"),
      "proposing-thread": planner("proposing-thread.ts"),
    },
    platform: "node",
    // `using` is not in Node 22.
    transform: { target: "es2024" },
  });
  const made = await bundle.write({
    dir,
    format: "esm",
    entryFileNames: ({ name }) => (name === "starform" ? "starform.mjs" : `parts/${name}.mjs`),
    chunkFileNames: "parts/[name]-[hash].mjs",
  });
  await bundle.close();
  await chmod(join(dir, "starform.mjs"), 0o755);
  // The planner reads this one as a file, beside the part that holds it; so is read what a cluster is installed with.
  await copyFile(planner("static-server/serve.mjs"), join(dir, "parts/serve.mjs"));
  await cp(at("deploy/cluster"), join(dir, "parts/cluster"), { recursive: true });
  await writeFile(join(dir, "bundled-licences.txt"), await licenceTexts(await bundledPackages(made)));
}
