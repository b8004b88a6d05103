import type { SourceTree } from "./source-tree.ts";

/**
 * Variables that an app's `.env.example` sets to a reference, such as `API_URL=${{api.STARFORM_PRIVATE_URL}}`. Other example values
 * are for people and stay where they are.
 */
export function readReferences(tree: SourceTree, folder: string): Record<string, string> {
  const file = [".env.example", ".env.sample", ".env.template"]
    .map((name) => (folder === "" ? name : `${folder}/${name}`))
    .find(tree.hasFile);
  const lines = (file && tree.readStart(file, 65_536)?.split(/\r?\n/)) || [];
  const pairs = lines.flatMap((line) => {
    const match = /^(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(["']?)(.*)\2\s*$/.exec(line.trim());
    return match && /\$\{\{[^{}]+\}\}/.test(match[3]!) ? [[match[1]!, match[3]!] as const] : [];
  });
  return Object.fromEntries(pairs);
}
