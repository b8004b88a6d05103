// Makes the packages that are published, in dist/packages: npm run pack
import { fileURLToPath } from "node:url";
import { packPublished } from "./published-packages.ts";

for (const { path, files, bytes } of await packPublished(
  fileURLToPath(new URL("../dist/packages", import.meta.url)),
))
  console.log(`${path}  ${files.length} files, ${Math.round(bytes / 1_000)} kB`);
