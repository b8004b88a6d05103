import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Lays down an image of the process runtime, as the builder does, and gives its reference. */
export function processImage(
  imagesDir: string,
  files: Record<string, string>,
  config: Record<string, unknown>,
): string {
  const hex = createHash("sha256")
    .update(JSON.stringify([files, config]))
    .digest("hex");
  const dir = join(imagesDir, "sha256", hex);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, "app", name)), { recursive: true });
    writeFileSync(join(dir, "app", name), text);
  }
  writeFileSync(
    join(dir, "config.json"),
    JSON.stringify({ env: {}, workdir: "/app", paths: [], ports: [], ...config }),
  );
  return `starform.local/project/service@sha256:${hex}`;
}
