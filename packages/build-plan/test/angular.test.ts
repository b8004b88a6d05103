import { expect, test } from "vitest";
import { planned, refused } from "./planned.ts";

const sourceOf = (build: unknown, scripts: Record<string, string> = {}) => ({
  "package.json": {
    scripts: { build: "ng build", start: "ng serve", ...scripts },
    dependencies: { "@angular/core": "20" },
  },
  "angular.json": { projects: { shop: { architect: { build } } } },
});
const startOf = async (build: unknown) => (await planned(sourceOf(build))).plan.deploy.startCommand;
const builder = "@angular/build:application";
const ssr = { entry: "src/server.ts" };

test("an Angular app that renders on a server starts the one its build writes", async () => {
  expect(await startOf({ builder, options: { ssr, outputMode: "server" } })).toBe(
    "node dist/shop/server/server.mjs",
  );
  expect(await startOf({ builder, options: { ssr, outputPath: { base: "out", server: "back" } } })).toBe(
    "node out/back/server.mjs",
  );
  const site = "node .starform/serve.mjs dist/shop/browser --spa";
  expect(await startOf({ builder, options: { ssr, outputMode: "static" } })).toBe(site);
  expect(await startOf({ builder, options: {} })).toBe(site);
});

test("an Angular app whose pages are for a server that its build does not write is refused with what writes it", async () => {
  for (const options of [
    { ssr: true },
    { ssr: {} },
    { ssr: true, prerender: false },
    { outputMode: "server" },
  ]) {
    const { hint } = await refused(sourceOf({ builder, options }));
    expect(hint).toContain('"ssr": {"entry": "src/server.ts"}');
  }
  const site = "node .starform/serve.mjs dist/shop/browser --spa";
  expect(await startOf({ builder, options: { ssr: true, prerender: true } })).toBe(site);
  expect(await startOf({ builder, options: { ssr: true, outputMode: "static" } })).toBe(site);
  expect(await startOf({ builder, options: { ssr: false } })).toBe(site);
  const own = sourceOf({ builder, options: { ssr: true } }, { start: "node server.mjs" });
  expect((await planned(own)).plan.deploy.startCommand).toBe("npm run start");
  const { "angular.json": _, ...rest } = own;
  const targets = { projects: { shop: { targets: { build: { builder, options: {} } } } } };
  const asTargets = { ...rest, "package.json": sourceOf({})["package.json"], "angular.json": targets };
  expect((await planned(asTargets)).plan.deploy.startCommand).toBe(site);
});

test.each([null, 5, false, [], [null], "x"])(
  "an angular.json of other types (%j) is read past",
  async (odd) => {
    for (const build of [
      odd,
      { builder: odd },
      { builder, options: odd },
      { builder, options: { ssr: odd } },
    ])
      expect(await startOf(build)).toBeDefined();
    expect(await startOf({ builder, options: { outputPath: odd } })).toBe(
      `node .starform/serve.mjs ${odd === "x" ? "x" : "dist/shop"}/browser --spa`,
    );
  },
);
