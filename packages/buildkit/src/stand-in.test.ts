import { expect, test } from "vitest";
import { replaceImages, standInBases } from "./stand-in.ts";

test("replaces official images, and leaves stages, arguments and all else", () => {
  const text = `ARG RUNTIME=ghcr.io/railwayapp/railpack-runtime:mise-2026.8.6
ARG DISTRO=debian
FROM --platform=linux/amd64 node:24-slim AS build
RUN echo FROM node:24
FROM build
COPY --from=build /a /a
COPY --from=node:24 /b /b
COPY --from=0 /c /c
FROM node:24-alpine
FROM scratch
FROM $BASE
FROM ghcr.io/me/node:24
FROM \${RUNTIME} AS image
from debian
`;
  const { text: replacedText, replaced } = replaceImages(
    text,
    standInBases({ builder: "base/builder:1", runtime: "base/runtime:1" }),
  );
  expect(replacedText).toBe(`ARG RUNTIME=base/runtime:1
ARG DISTRO=debian
FROM --platform=linux/amd64 base/builder:1 AS build
RUN echo FROM node:24
FROM build
COPY --from=build /a /a
COPY --from=base/builder:1 /b /b
COPY --from=0 /c /c
FROM node:24-alpine
FROM scratch
FROM $BASE
FROM ghcr.io/me/node:24
FROM \${RUNTIME} AS image
from base/builder:1
`);
  expect(replaced.map(({ from }) => from)).toEqual([
    "ghcr.io/railwayapp/railpack-runtime:mise-2026.8.6",
    "node:24-slim",
    "node:24",
    "debian",
  ]);
});

test.each([
  "\n".repeat(1_000_000),
  `FROM ${"x".repeat(1_000_000)}\ry`,
  `FROM ${"--a ".repeat(250_000)}`,
  `ARG A=${"x".repeat(1_000_000)} y`,
  `FROM a${" AS".repeat(300_000)}`,
])("a Dockerfile made to be slow is read like any (%#)", (text) => {
  const { replaced } = replaceImages(`${text}\nFROM node:24`, () => "base");
  expect(replaced.map(({ from }) => from)).toContain("node:24");
});
