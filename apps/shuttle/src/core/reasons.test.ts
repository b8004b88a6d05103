import { hasWayOut } from "@starform/testkit/way-out";
import { expect, test } from "vitest";
import { reasonOfEnding, reasonOfLiveness, reasonOfSilence, reasonOfTimeout, sayBytes } from "./reasons.ts";

const context = {
  tier: "mininova",
  memoryBytes: 512 * 2 ** 20,
  ranForMs: 400,
  command: "node server.js",
  lastLine: undefined,
};
const ending = { exitCode: 0, signal: null, isOom: false };

test.each([
  [
    { ...ending, exitCode: 137, isOom: true },
    {},
    "killed: used more than 512 MiB, the limit of tier mininova: make it use less, or give it a larger one with starform scale --tier",
  ],
  [
    { ...ending, exitCode: 1 },
    { lastLine: "Error:  Cannot find module 'express'" },
    "exited with code 1 after 0.4 s: see why with starform logs; its last line: Error: Cannot find module 'express'",
  ],
  [ending, {}, "exited with code 0 after 0.4 s: let the start command keep running"],
  [
    { ...ending, exitCode: 127 },
    {},
    "the start command was not found: node server.js; correct it, or add the package that brings it",
  ],
  [
    { ...ending, exitCode: 126 },
    {},
    "the start command cannot be executed: node server.js; make its file executable (chmod +x), or correct it",
  ],
  [{ ...ending, exitCode: 139 }, {}, "ended by signal SIGSEGV after 0.4 s: see why with starform logs"],
  [
    { ...ending, exitCode: null, signal: "SIGKILL" },
    { ranForMs: 65_000 },
    "ended by signal SIGKILL after 1 min 5 s: see why with starform logs",
  ],
  [
    { ...ending, exitCode: null },
    {},
    "ended after 0.4 s, and its exit code is not known: see why with starform logs",
  ],
])("an ending is told by what was seen of it: %j", (seen, own, sentence) => {
  expect(reasonOfEnding(seen, { ...context, ...own })).toBe(sentence);
  expect(sentence).toSatisfy(hasWayOut);
});

test("in the log itself an ending sends nobody to the log, and does not repeat its last line", () => {
  const inLog = { ...context, lastLine: "Error: boom", isInLog: true };
  expect(reasonOfEnding({ ...ending, exitCode: 1 }, inLog)).toBe("exited with code 1 after 0.4 s");
  expect(reasonOfEnding({ ...ending, exitCode: 139 }, inLog)).toBe("ended by signal SIGSEGV after 0.4 s");
  expect(reasonOfEnding({ ...ending, exitCode: 1 }, { ...inLog, hint: "write to /tmp" })).toBe(
    "exited with code 1 after 0.4 s: write to /tmp",
  );
});

test.each([
  [8080, [], false, undefined],
  [8080, [{ port: 8080, isLoopback: true }], false, undefined],
  [
    8080,
    [{ port: 3000, isLoopback: false }],
    false,
    "listens on 3000, but PORT is 8080: listen on the port in PORT",
  ],
  [
    8080,
    [
      { port: 9229, isLoopback: true },
      { port: 3000, isLoopback: false },
      { port: 3000, isLoopback: true },
    ],
    true,
    "listens on 3000, 9229, but PORT is 8080: listen on the port in PORT",
  ],
  [
    8080,
    [{ port: 8080, isLoopback: true }],
    true,
    "listens on 127.0.0.1:8080 only, where nothing outside can reach it: listen on 0.0.0.0",
  ],
])("a silent port %i is explained by what is open instead: %j", (port, listeners, isolates, sentence) => {
  expect(reasonOfSilence(port, listeners, isolates)).toBe(sentence);
});

test("a timeout tells the nearest cause that is known", () => {
  expect(reasonOfTimeout(60_000, 8080, undefined, "GET /healthz answered 500")).toBe(
    "not ready within 1 min: GET /healthz answered 500; make it answer with 200, or name another path under healthCheck",
  );
  expect(reasonOfTimeout(5_000, 8080, undefined, undefined)).toBe(
    "not ready within 5.0 s: nothing listens on port 8080: listen on the port in PORT",
  );
  expect(reasonOfLiveness(3, "GET / answered 503")).toBe(
    "failed 3 health checks in a row: GET / answered 503; make it answer with 200, or name another path under healthCheck",
  );
  expect([sayBytes(512 * 2 ** 20), sayBytes(2 ** 30), sayBytes(1.5 * 2 ** 30)]).toEqual([
    "512 MiB",
    "1 GiB",
    "1.5 GiB",
  ]);
});
