import { expect, test } from "vitest";
import { sourceLines } from "./base-debian.ts";

test("takes Debian's own sources out of both formats, and no other vendor's", () => {
  const text = `Types: deb
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib

Types: deb
URIs: https://vendor.test/node
Suites: nodistro
Components: main

# deb http://commented.test/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://old.test/debian bookworm-security main
deb https://vendor.test/cloud cloud-sdk-bookworm main
`;
  expect(sourceLines(text, "bookworm")).toEqual([
    "deb http://mirror.test/debian bookworm main",
    "deb http://mirror.test/debian bookworm-updates main",
    "deb http://old.test/debian bookworm-security main",
  ]);
});
