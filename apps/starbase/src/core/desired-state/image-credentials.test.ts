import { expect, test } from "vitest";
import type { DesiredRow } from "./ports.ts";
import { imageCredentials, imageForCluster, type OwnRegistry } from "./image-credentials.ts";

const digest = `sha256:${"a".repeat(64)}`;
const registry: OwnRegistry = {
  prefix: "127.0.0.1:4409",
  host: "127.0.0.1:4409",
  clusterHost: "10.0.0.5:5000",
  pullUntil: (projectId, expiresAt) => ({
    host: "127.0.0.1:4409",
    username: projectId,
    password: "p",
    expiresAt,
  }),
};

test("an image of our own registry is named and signed in for as the cluster's nodes reach it, another's stays", () => {
  const own = `127.0.0.1:4409/p/s@${digest}`;
  expect(imageForCluster(own, registry)).toBe(`10.0.0.5:5000/p/s@${digest}`);
  for (const image of [`ghcr.io/a/b@${digest}`, `127.0.0.1:44099/p/s@${digest}`])
    expect(imageForCluster(image, registry)).toBe(image);
  expect(imageForCluster(own, undefined)).toBe(own);
  const row = { place: { projectId: "p" }, deployment: { image: own }, signIns: [] } as unknown as DesiredRow;
  expect(imageCredentials(row, { registry, period: 0, box: undefined as never })).toEqual({
    registry: "10.0.0.5:5000",
    username: "p",
    password: "p",
  });
});
