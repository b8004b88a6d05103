import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test.each([
  ["shuttle/bin/shuttle.ts", /^the configuration is wrong:\n {2}STARFORM_/],
  ["shuttle/bin/gateway-forward.ts", /^the configuration is wrong:\n/],
  ["gateway/bin/gateway.ts", /^the configuration is wrong:\n {2}GATEWAY_/],
  ["embedded/bin/registry-door.ts", /^DOOR_ADDRESS is not set: /],
  ["telemetry/bin/telemetry.ts", /^the configuration is wrong:\n {2}TELEMETRY_/],
])("%s says what is wrong with its settings, and not where in the code", (program, words) => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "../..", program)], {
    env: { PATH: process.env["PATH"], STARFORM_REGOIN: "x", TELEMETRY_PROT: "1" },
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/^\s+at /m);
});
