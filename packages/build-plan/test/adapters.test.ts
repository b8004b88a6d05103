import { expect, test } from "vitest";
import { planned, refused } from "./planned.ts";

const astro = (config: string, packages: string[] = [], scripts: Record<string, string> = {}) => ({
  "package.json": {
    scripts: { build: "astro build", ...scripts },
    dependencies: Object.fromEntries(["astro", ...packages].map((name) => [name, "1"])),
  },
  "astro.config.mjs": config,
});
const svelte = (config: string, packages: string[] = [], scripts: Record<string, string> = {}) => ({
  "package.json": {
    scripts: { build: "vite build", ...scripts },
    devDependencies: Object.fromEntries(["svelte", "@sveltejs/kit", ...packages].map((name) => [name, "1"])),
  },
  "svelte.config.js": config,
});
const startOf = async (files: Record<string, unknown>) => (await planned(files)).plan.deploy.startCommand;
const hintOf = async (files: Record<string, unknown>) => (await refused(files)).hint;

const node =
  "import node from '@astrojs/node';\nexport default defineConfig({ output: 'server', adapter: node({";

test("Astro's own server is started, whatever its development server is called", async () => {
  const standalone = `${node} mode: 'standalone' }) });`;
  for (const scripts of [{}, { start: "astro dev" }, { start: "astro start" }])
    expect(await startOf(astro(standalone, ["@astrojs/node"], scripts))).toBe("node dist/server/entry.mjs");
  expect(await startOf(astro(`${node} mode: 'standalone' }), outDir: './out' });`, ["@astrojs/node"]))).toBe(
    "node out/server/entry.mjs",
  );
  const own = { start: "node run-server.mjs" };
  expect(await startOf(astro(`${node} mode: 'middleware' }) });`, ["@astrojs/node"], own))).toBe(
    "npm run start",
  );
  expect(await startOf(astro("export default {}", [], { start: "astro dev" }))).toBe(
    "node .starform/serve.mjs dist --spa",
  );
});

test("an Astro app whose build writes no server that starts here is refused with what to add", async () => {
  const start = { start: "astro dev" };
  expect(await hintOf(astro("export default { output: 'server' }", [], start))).toContain("names no adapter");
  const vercel = "import vercel from '@astrojs/vercel';\nexport default { adapter: vercel() }";
  expect(await hintOf(astro(vercel, ["@astrojs/vercel"], start))).toContain(
    "@astrojs/vercel writes for another host",
  );
  expect(await hintOf(astro(`${node} mode: 'middleware' }) });`, ["@astrojs/node"]))).toContain(
    'mode: "standalone"',
  );
  expect(await hintOf(astro("export default { output: 'server' }", []))).not.toContain("index.js");
});

const adapter = (name: string, options = "") =>
  `import adapter from "@sveltejs/adapter-${name}";\nexport default { kit: { adapter: adapter(${options}) } };`;

test("SvelteKit starts as the adapter that its configuration loads says", async () => {
  const installed = ["@sveltejs/adapter-auto"];
  expect(await startOf(svelte(adapter("node"), [...installed, "@sveltejs/adapter-node"]))).toBe("node build");
  expect(await startOf(svelte(adapter("node", '{ out: "dist" }'), ["@sveltejs/adapter-node"]))).toBe(
    "node dist",
  );
  expect(await startOf(svelte(adapter("static"), [...installed, "@sveltejs/adapter-static"]))).toMatch(
    /^node \.starform\/serve\.mjs build/,
  );
  const auto = await planned(svelte(adapter("auto"), installed, { start: "vite dev" }));
  expect(auto.plan.deploy.startCommand).toBe("node build");
  expect(JSON.stringify(auto.plan)).toContain("GCP_BUILDPACKS");
  const other = await planned(svelte(adapter("node"), [...installed, "@sveltejs/adapter-node"]));
  expect(JSON.stringify(other.plan)).not.toContain("GCP_BUILDPACKS");
});

test("a SvelteKit app whose build writes no server that starts here is refused with what to add", async () => {
  const vercel = svelte(adapter("vercel"), ["@sveltejs/adapter-auto", "@sveltejs/adapter-vercel"]);
  expect(await hintOf(vercel)).toContain("@sveltejs/adapter-vercel writes for another host");
  expect(await hintOf(svelte("export default {}"))).toContain("names no adapter that is known here");
  expect(await startOf(svelte(adapter("vercel"), [], { start: "node own.mjs" }))).toBe("npm run start");
});
