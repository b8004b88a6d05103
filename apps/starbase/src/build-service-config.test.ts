import { expect, test } from "vitest";
import { z } from "zod";
import { buildServiceOf, buildServiceVariables } from "./build-service-config.ts";

const read = (env: Record<string, string>) => buildServiceOf(z.object(buildServiceVariables).parse(env));
const certificates = { BUILDKIT_CA: "ca", BUILDKIT_CERT: "cert", BUILDKIT_KEY: "key" };

test.each([
  ["unix:///run/buildkit/buildkitd.sock", {}, { kind: "unix", path: "/run/buildkit/buildkitd.sock" }],
  ["docker:///var/run/docker.sock", {}, { kind: "docker", path: "/var/run/docker.sock" }],
  ["tcp://127.0.0.1:1234", {}, { kind: "tcp", host: "127.0.0.1", port: 1234 }],
  [
    "tcp://builder.example:8372",
    certificates,
    { kind: "tls", servername: "builder.example", ca: "ca", port: 8372 },
  ],
  ["tcp://[fd00::7]:8372", certificates, { kind: "tls", host: "fd00::7" }],
  [
    "tcp://10.0.0.7:8372",
    { ...certificates, BUILDKIT_SERVER_NAME: "builder" },
    { kind: "tls", host: "10.0.0.7", servername: "builder" },
  ],
])("reads the endpoint %s", (endpoint, more, expected) => {
  const config = read({ BUILD_SERVICE: "buildkit", BUILDKIT_ENDPOINT: endpoint, ...more });
  expect(config).toMatchObject({ kind: "buildkit", endpoint: expected });
});

test("reads where Depot is, with 30 GB of cache for each workspace", () => {
  expect(read({ BUILD_SERVICE: "depot", DEPOT_TOKEN: "t" })).toEqual({
    kind: "depot",
    apiUrl: "https://api.depot.dev",
    token: "t",
    regionId: "us-east-1",
    cacheGb: 30,
    bases: undefined,
  });
});

test.each([
  [{ BUILD_SERVICE: "depot" }, "STARBASE_DEPOT_TOKEN is not set"],
  [{ BUILD_SERVICE: "buildkit" }, "STARBASE_BUILDKIT_ENDPOINT is not set"],
  [{ BUILD_SERVICE: "buildkit", BUILDKIT_ENDPOINT: "http://x" }, "write unix:///path"],
  [{ BUILD_SERVICE: "buildkit", BUILDKIT_ENDPOINT: "tcp://10.0.0.7:1" }, "on another machine"],
  [
    { BUILD_SERVICE: "buildkit", BUILDKIT_ENDPOINT: "tcp://10.0.0.7:1", BUILDKIT_CA: "ca" },
    "STARBASE_BUILDKIT_CERT is not set",
  ],
  [{ BUILD_SERVICE: "depot", DEPOT_TOKEN: "t", BUILDER_IMAGE: "b" }, "STARBASE_RUNTIME_IMAGE is not set"],
] as const)("says what is missing: %j", (env, words) => {
  expect(() => read({ ...env })).toThrow(words);
});
