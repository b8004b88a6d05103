import { expect, test } from "vitest";
import { apiPathOf } from "./forward.ts";

test("pages reach the API, and never the calls that answer with session tokens", () => {
  expect(apiPathOf("/api/v1/projects/a%2Fb")).toBe("/v1/projects/a%2Fb");
  expect(apiPathOf("/api/v1/auth/login-links")).toBe("/v1/auth/login-links");
  const refused = [
    "/api/v1/auth/sessions",
    "/api/v1/auth/refresh",
    "/api/v1/auth%2Frefresh",
    "/api/v1/%61uth/refresh",
    "/api/git/a/b.git",
    "/api/openapi.json",
  ];
  expect(refused.filter((path) => apiPathOf(path) !== undefined)).toEqual([]);
});
