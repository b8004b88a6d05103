import type { SourceTree } from "../../source-tree.ts";
import { configText, option } from "./frameworks.ts";
import { dependsOn } from "./package-json.ts";
import type { Member } from "./workspace.ts";

/** The adapter of SvelteKit's own that writes the app (`node`, `static`, `auto`, …): what its configuration loads, else what is installed. */
export function svelteAdapter(tree: SourceTree, root: Member): string | undefined {
  const loaded = /['"]@sveltejs\/adapter-([\w-]{1,40})['"]/.exec(configText(tree, root, "svelte.config"));
  return (
    loaded?.[1] ??
    ["auto", "node", "static"].find((name) => dependsOn(root.manifest, `@sveltejs/adapter-${name}`))
  );
}

/** The folder of the server that its build writes. */
export function svelteServer(tree: SourceTree, root: Member): string | undefined {
  const adapter = svelteAdapter(tree, root);
  if (adapter === "auto") return "build";
  return adapter === "node" ? (option(configText(tree, root, "svelte.config"), "out") ?? "build") : undefined;
}

export function svelteHint(tree: SourceTree, root: Member): string {
  const adapter = svelteAdapter(tree, root);
  const what = adapter
    ? `The adapter @sveltejs/adapter-${adapter} writes for another host`
    : "svelte.config names no adapter that is known here";
  return `${what}: install @sveltejs/adapter-node (a server) or @sveltejs/adapter-static (a site) and use it in svelte.config.js, or add a start script.`;
}
