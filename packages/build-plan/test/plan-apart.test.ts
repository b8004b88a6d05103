import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { componentsApart, openPlannerApart, planApart } from "../src/plan-apart.ts";
import { planSource } from "../src/plan-source.ts";
import { planningThreads } from "../src/planning-threads.ts";
import { sourceOf } from "./source-of.ts";

const entry = new URL("stubborn-thread.mjs", import.meta.url);
const limits = { cpuMsMax: 300, wallMsMax: 60_000, heapMbMax: 64 };
type Task = { readonly kind: string; readonly count?: Int32Array };
const stubborn = (more: Partial<typeof limits> = {}) => planningThreads<Task>(entry, { ...limits, ...more });

test("a source planned apart has the plan it has here, and its components", async () => {
  const example = path.resolve(import.meta.dirname, "../../../examples/express");
  expect(await planApart(example)).toEqual(await planSource(example));
  await using source = await sourceOf({ "go.sum": "example.org/a v1.2.3 h1:x\n" });
  const { components, files } = await componentsApart(source.dir);
  expect(files).toEqual(["go.sum"]);
  expect(components).toMatchObject([{ name: "example.org/a", version: "v1.2.3" }]);
});

test.each(["loop", "backtrack"])("a task that would %s for ever ends by its processor time", async (kind) => {
  expect(await stubborn()({ kind })).toEqual({
    kind: "stopped",
    limit: "time",
    lastRead: "apps/web/package.json",
  });
});

test("a task that takes memory without end is ended, and this process lives on", async () => {
  const end = await stubborn({ cpuMsMax: 60_000 })({ kind: "grow" });
  expect(end).toMatchObject({ kind: "stopped", limit: "memory" });
});

test("a task that waits for ever ends by the clock", async () => {
  expect(await stubborn({ cpuMsMax: 60_000, wallMsMax: 50 })({ kind: "loop" })).toMatchObject({
    kind: "stopped",
    limit: "time",
  });
});

test("the caller's event loop turns while a task is stubborn", async () => {
  const run = stubborn();
  const over = new AbortController();
  const ended = run({ kind: "loop" }).finally(() => over.abort());
  let turns = 0;
  for (; !over.signal.aborted; turns += 1) await setImmediate();
  expect(await ended).toMatchObject({ kind: "stopped" });
  expect(turns).toBeGreaterThan(100);
});

test("a cancelled task is over when the caller hears of it", async () => {
  const count = new Int32Array(new SharedArrayBuffer(4));
  const cancel = new AbortController();
  const run = stubborn({ cpuMsMax: 60_000 })({ kind: "loop", count }, cancel.signal);
  while (Atomics.load(count, 0) === 0) await setImmediate();
  cancel.abort(new Error("cancelled by hand"));
  await expect(run).rejects.toThrow("cancelled by hand");
  const reached = Atomics.load(count, 0);
  for (let turn = 0; turn < 1_000; turn += 1) await setImmediate();
  expect(Atomics.load(count, 0)).toBe(reached);
});

test("a thread is used again, one that was stubborn is not, and none sees the environment", async () => {
  const run = stubborn();
  const answer = () => run<{ threadId: number; env: object }>({ kind: "answer" });
  const first = await answer();
  expect(await answer()).toEqual(first);
  expect(first).toMatchObject({ kind: "done", value: { env: {} } });
  await run({ kind: "loop" });
  const after = await answer();
  expect(after).toMatchObject({ kind: "done" });
  expect(after).not.toEqual(first);
});

test("two tasks at once do not wait for each other", async () => {
  const run = stubborn({ cpuMsMax: 60_000 });
  const cancel = new AbortController();
  const endless = run({ kind: "loop" }, cancel.signal);
  expect(await run({ kind: "answer" })).toMatchObject({ kind: "done" });
  cancel.abort();
  await expect(endless).rejects.toThrow("aborted");
});

test("a task's own error, and a thread that leaves, reject", async () => {
  const run = stubborn();
  await expect(run({ kind: "fail" })).rejects.toThrow("the task's own");
  await expect(run({ kind: "leave" })).rejects.toThrow("ended with 3");
  expect(await run({ kind: "answer" })).toMatchObject({ kind: "done" });
});

test("the refusal says what was too much, which file it was, and what to do", async () => {
  const { plan } = openPlannerApart(limits, entry);
  const refused = (task: string) => plan("/", { variables: { TASK: task } });
  expect(await refused("loop")).toEqual({
    ok: false,
    error: {
      message: "reading this source took more than 0.3 seconds; the last file read was apps/web/package.json",
      lookedFor: [],
      hint: "Make apps/web/package.json smaller or simpler, or set the root directory to the app's own folder.",
    },
  });
  const { plan: patient } = openPlannerApart({ ...limits, cpuMsMax: 60_000 }, entry);
  expect(await patient("/", { variables: { TASK: "grow" } })).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining("more than 64 MB of memory") },
  });
});
