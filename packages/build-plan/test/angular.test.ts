import { expect, test } from "vitest";
import { planned } from "./planned.ts";

const startOf = async (build: unknown) => {
  const { plan } = await planned({
    "package.json": {
      scripts: { build: "ng build", start: "ng serve" },
      dependencies: { "@angular/core": "20" },
    },
    "angular.json": { projects: { shop: { architect: { build } } } },
  });
  return plan.deploy.startCommand;
};
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

test.each([null, 5, true, [], {}, [null], "x"])(
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
