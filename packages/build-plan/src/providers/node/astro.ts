import path from "node:path";
import type { SourceTree } from "../../source-tree.ts";
import { configText, option } from "./frameworks.ts";
import { dependsOn } from "./package-json.ts";
import type { Member } from "./workspace.ts";

/** What Astro's build writes: a site, or a server by an adapter, which only Node's writes for here. */
export interface AstroOutput {
  /** The folder of all it writes. */
  readonly folder: string;
  readonly isSite: boolean;
  /** The name of the adapter's package, if there is one. */
  readonly adapter: string | undefined;
  /** A middleware is for a server of the app's own. */
  readonly isMiddleware: boolean;
}

const adapters = ["node", "vercel", "cloudflare", "netlify"].map((name) => `@astrojs/${name}`);

export function astroOutput(tree: SourceTree, root: Member): AstroOutput {
  const text = configText(tree, root, "astro.config");
  const adapter =
    adapters.find((name) => text.includes(`"${name}"`) || text.includes(`'${name}'`)) ??
    adapters.find((name) => dependsOn(root.manifest, name));
  return {
    folder: option(text, "outDir") ?? "dist",
    isSite: adapter === undefined && option(text, "output") !== "server",
    adapter,
    isMiddleware: option(text, "mode") === "middleware",
  };
}

/** The server that is started; undefined where the build writes none that starts by itself. */
export const astroServer = ({ adapter, folder, isMiddleware }: AstroOutput): string | undefined =>
  adapter === "@astrojs/node" && !isMiddleware ? path.posix.join(folder, "server/entry.mjs") : undefined;

export function astroHint({ adapter, isSite, isMiddleware }: AstroOutput): string | undefined {
  if (isSite) return undefined;
  if (adapter === undefined)
    return 'astro.config says output: "server" and names no adapter: run `npx astro add node`, or take output out to publish a static site.';
  if (adapter !== "@astrojs/node")
    return `The adapter ${adapter} writes for another host: run \`npx astro add node\` and use that one, or take the adapter out to publish a static site.`;
  return isMiddleware
    ? 'astro.config makes a middleware of the app: set mode: "standalone", or add a start script that runs your own server.'
    : undefined;
}
