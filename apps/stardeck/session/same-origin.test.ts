import { expect, test } from "vitest";
import { isOwnRequest } from "./same-origin.ts";

const request = (method: string, headers: Record<string, string>) => ({
  method,
  headers: new Headers(headers),
});
const host = "localhost:4400";

test("writes are taken from our own pages only", () => {
  expect(isOwnRequest(request("POST", { host, origin: "http://localhost:4400" }))).toBe(true);
  expect(
    isOwnRequest(request("POST", { host, origin: "http://localhost:4400", "sec-fetch-site": "same-origin" })),
  ).toBe(true);
  for (const origin of ["http://localhost:5500", "https://evil.example", "null", ""])
    for (const method of ["POST", "PUT", "PATCH", "DELETE"])
      expect(isOwnRequest(request(method, { host, origin }))).toBe(false);
  expect(isOwnRequest(request("POST", { host }))).toBe(false);
  expect(
    isOwnRequest(request("POST", { host, origin: "http://localhost:4400", "sec-fetch-site": "same-site" })),
  ).toBe(false);
});

test("reads need no origin", () => {
  expect(isOwnRequest(request("GET", { host }))).toBe(true);
});
