import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holderOf, takeLock } from "@starform/std/lock";
import { isAlive, startTimeOf } from "@starform/std/process";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, expect, test } from "vitest";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "starform-lock-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a lock is held by one, told to the others, and free after release", () => {
  const path = join(dir, "plain");
  const first = takeLock(path);
  expect(takeLock(path)).toMatchObject({ kind: "taken", by: { pid: process.pid } });
  expect(holderOf(path)?.pid).toBe(process.pid);
  if (first.kind === "held") first.release();
  expect(holderOf(path)).toBeUndefined();
  expect(takeLock(path).kind).toBe("held");
  expect(readdirSync(dir).filter((name) => name !== "plain")).toEqual([]);
});

test("a lock of a process that is gone is no obstacle, even when another process has its id by now", async () => {
  const child = spawn(process.execPath, ["--eval", ""]);
  await once(child, "exit");
  for (const holder of [
    { pid: child.pid, startTime: "boot:1" },
    { pid: process.pid, startTime: "boot:1" },
  ]) {
    const path = join(dir, `dead-${holder.pid}`);
    writeFileSync(path, JSON.stringify(holder));
    expect(takeLock(path).kind).toBe("held");
  }
});

test("of many processes that start at once over a dead lock, exactly one gets it", async () => {
  const path = join(dir, "race");
  writeFileSync(path, JSON.stringify({ pid: 1, startTime: "boot:1" }));
  const go = join(dir, "go");
  const source = `const { existsSync } = require("node:fs");
    import(${JSON.stringify(import.meta.resolve("@starform/std/lock"))}).then(({ takeLock }) => {
      while (!existsSync(${JSON.stringify(go)}));
      console.log(takeLock(${JSON.stringify(path)}).kind);
      process.stdin.resume().once("end", () => process.exit());
    });`;
  const children = Array.from({ length: 4 }, () => spawn(process.execPath, ["--eval", source]));
  const answers = children.map(async (child) =>
    String(((await once(child.stdout, "data")) as [Buffer])[0]).trim(),
  );
  writeFileSync(go, "");
  const kinds = await Promise.all(answers);
  for (const child of children) child.stdin.end();
  expect(kinds.toSorted()).toEqual(["held", "taken", "taken", "taken"]);
  expect(existsSync(path)).toBe(true);
});

test("a process is told from a later one with its id by its start time, and a zombie is not alive", async () => {
  expect(startTimeOf(process.pid)).toBe(startTimeOf(process.pid));
  const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"]);
  const pid = child.pid ?? 0;
  expect([isAlive(pid), startTimeOf(pid) === startTimeOf(process.pid)]).toEqual([true, false]);
  child.kill("SIGKILL");
  await until("the process to be gone", () => !isAlive(pid));
  expect(startTimeOf(pid)).toBeUndefined();
});
