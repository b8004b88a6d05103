import { expect, test } from "vitest";
import { paths, safeNext } from "./paths.ts";

test("every link is where it was", () => {
  const place = { project: "home.web shop", environment: "production", service: "api", deployment: "d1" };
  const links = Object.fromEntries(
    Object.entries(paths).map(([name, path]) => [
      name,
      (path as (input: unknown) => string)(
        ["members", "audit"].includes(name) ? "home" : name === "signIn" ? "/tokens" : place,
      ),
    ]),
  );
  expect(links).toMatchInlineSnapshot(`
    {
      "audit": "/workspaces/home/audit",
      "deployment": "/projects/home.web%20shop/production/services/api/deployments/d1",
      "logs": "/projects/home.web%20shop/production/services/api/logs",
      "members": "/workspaces/home/members",
      "metrics": "/projects/home.web%20shop/production/services/api/metrics",
      "newProject": "/new",
      "newService": "/projects/home.web%20shop/production/new-service",
      "project": "/projects/home.web%20shop/production",
      "projectSettings": "/projects/home.web%20shop/production/settings",
      "projects": "/",
      "service": "/projects/home.web%20shop/production/services/api",
      "serviceSettings": "/projects/home.web%20shop/production/services/api/settings",
      "signIn": "/sign-in?next=%2Ftokens",
      "tokens": "/tokens",
      "varGroups": "/projects/home.web%20shop/production/var-groups",
      "variables": "/projects/home.web%20shop/production/services/api/variables",
    }
  `);
});

test("after signing in nobody is sent to another site", () => {
  for (const next of [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "",
    null,
  ])
    expect(safeNext(next)).toBe("/");
  expect(safeNext("/projects/a/production?x=1#top")).toBe("/projects/a/production?x=1#top");
});
