import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, startTimeOf } from "@starform/std/process";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { endInstances } from "../src/programs/end-instances.ts";
import { rotate } from "../src/supervisor/log-file.ts";
import { stopLeftOvers } from "../src/supervisor/pid-file.ts";
import { spawnProgram } from "../src/supervisor/spawn-program.ts";
import { aPlatformFolder, aProgram, supervising } from "./a-program.ts";

const pidOf = (supervisor: ReturnType<typeof supervising>, name: string) =>
  until(`${name} to be ready`, () => {
    const found = supervisor.status().find((one) => one.name === name);
    return found?.state === "ready" ? found.pid : undefined;
  });

test("programs start when what they come after is ready, and stop in the reverse order", async () => {
  using folder = aPlatformFolder();
  const [store, api, agent] = [
    aProgram(folder, "store"),
    aProgram(folder, "api", { after: ["store"] }),
    aProgram(folder, "agent", { after: ["api"] }),
  ];
  await using supervisor = supervising(folder, [agent, store, api]);
  await supervisor.start();
  await supervisor.stop();
  expect(folder.read("order").trim().split("\n")).toEqual([
    "started store",
    "started api",
    "started agent",
    "ended agent",
    "ended api",
    "ended store",
  ]);
});

test("a program may start before what it needs to the end, and is still stopped before it", async () => {
  using folder = aPlatformFolder();
  const gateway = aProgram(folder, "gateway", { stopsBefore: ["telemetry"] });
  await using supervisor = supervising(folder, [gateway, aProgram(folder, "telemetry")]);
  await supervisor.start();
  await supervisor.stop();
  const order = folder.read("order").trim().split("\n");
  expect(order.slice(2)).toEqual(["ended gateway", "ended telemetry"]);
});

test("a program that is killed is started again, and the others are left alone", async () => {
  using folder = aPlatformFolder();
  await using supervisor = supervising(folder, [aProgram(folder, "api"), aProgram(folder, "store")]);
  await supervisor.start();
  const [first, other] = [await pidOf(supervisor, "api"), await pidOf(supervisor, "store")];
  process.kill(first, "SIGKILL");
  const second = await until("another process", async () => {
    const pid = await pidOf(supervisor, "api");
    return pid === first ? undefined : pid;
  });
  expect(isAlive(second)).toBe(true);
  expect(await pidOf(supervisor, "store")).toBe(other);
  expect(supervisor.status()[0]).toMatchObject({
    name: "api",
    restarts: 1,
    lastExit: "was ended by SIGKILL",
  });
});

test("the waits between restarts grow, and a start that never holds fails with the program's own last words", async () => {
  using folder = aPlatformFolder();
  const broken = aProgram(folder, "broken", {
    body: `console.error("the port is wrong"); process.exit(3);`,
    isReady: () => false,
  });
  await using supervisor = supervising(folder, [broken]);
  await expect(supervisor.start({ attemptsMax: 4 })).rejects.toThrow(
    /exited with code 3[\s\S]*the port is wrong/,
  );
  const waits = supervisor.events.flatMap((event) => (event.kind === "exited" ? [event.againInMs] : []));
  expect(waits.length).toBeGreaterThanOrEqual(4);
  expect(waits[3]).toBeGreaterThan((waits[0] ?? 0) * 2);
});

test("an optional program that does not come up does not fail the start", async () => {
  using folder = aPlatformFolder();
  const broken = aProgram(folder, "broken", {
    body: "process.exit(3);",
    isReady: () => false,
    isOptional: true,
  });
  await using supervisor = supervising(folder, [broken, aProgram(folder, "api")]);
  await supervisor.start({ attemptsMax: 2 });
  expect(await pidOf(supervisor, "api")).toBeGreaterThan(0);
});

test("a program that ignores its signal is killed with everything it started", async () => {
  using folder = aPlatformFolder();
  const body = `process.removeAllListeners("SIGTERM"); process.on("SIGTERM", () => undefined);
    const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    fs.writeFileSync(${JSON.stringify(join(folder.path, "child"))}, String(child.pid));`;
  await using supervisor = supervising(folder, [aProgram(folder, "deaf", { body, stopWithinMs: 200 })]);
  await supervisor.start();
  await until("the child", () => existsSync(join(folder.path, "child")));
  const child = Number(folder.read("child"));
  await supervisor.stop();
  await until("the child to be gone", () => !isAlive(child));
});

test("what a killed supervisor left is stopped by the next start; a stranger with the same id is not", async () => {
  using folder = aPlatformFolder();
  const program = aProgram(folder, "api");
  const child = spawnProgram(program, join(folder.logDir, "api.log"));
  await until("the program to be up", () => existsSync(join(folder.path, "api.ready")));
  const pid = child.pid ?? 0;
  const record = { pid, startTime: startTimeOf(pid), stopSignal: "SIGTERM" };
  writeFileSync(join(folder.runDir, "api.pid"), JSON.stringify(record));
  writeFileSync(
    join(folder.runDir, "stranger.pid"),
    JSON.stringify({ ...record, pid: process.pid, startTime: "another boot:1" }),
  );
  expect(await stopLeftOvers(folder.runDir)).toEqual(["api"]);
  expect(isAlive(pid)).toBe(false);
  expect(folder.read("order")).toContain("ended api");
  expect(existsSync(join(folder.runDir, "stranger.pid"))).toBe(false);
});

test("a log beyond its size is moved aside, three old ones are kept, and its writer goes on in the same file", async () => {
  using folder = aPlatformFolder();
  const log = join(folder.logDir, "api.log");
  for (const word of ["a", "b", "c", "d", "e"]) {
    writeFileSync(log, word.repeat(20));
    expect(await rotate(log, { bytesMax: 10 })).toBe(true);
  }
  expect(folder.read("logs/api.log")).toBe("");
  expect([1, 2, 3].map((n) => folder.read(`logs/api.log.${n}`)[0])).toEqual(["e", "d", "c"]);
  expect(existsSync(`${log}.4`)).toBe(false);
  expect(await rotate(log, { bytesMax: 10 })).toBe(false);
});

test("app processes that Shuttle did not come to stop are ended with the platform, and strangers are left alone", async () => {
  using folder = aPlatformFolder();
  const app = spawnProgram(aProgram(folder, "app"), join(folder.logDir, "app.log"));
  await until("the app to be up", () => existsSync(join(folder.path, "app.ready")));
  const pid = app.pid ?? 0;
  const born = (id: string, text: string) => {
    mkdirSync(join(folder.path, "shuttle/instances", id), { recursive: true });
    writeFileSync(join(folder.path, "shuttle/instances", id, "born"), text);
  };
  born("app-1", `${pid} ${startTimeOf(pid)}`);
  born("stranger-1", `${process.pid} another boot:1`);
  born("never-born", "");
  expect(endInstances(folder.path)).toBe(1);
  await until("the app to be gone", () => !isAlive(pid));
});
