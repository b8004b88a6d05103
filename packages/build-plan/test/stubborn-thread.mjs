// A thread of tasks that do not end by themselves, and one that does.
import { parentPort, threadId } from "node:worker_threads";

const say = (message) => parentPort.postMessage(message, []);

const tasks = {
  answer: () => say({ kind: "done", value: { threadId, env: process.env } }),
  fail: () => say({ kind: "failed", error: new Error("the task's own") }),
  leave: () => process.exit(3),
  loop({ count }) {
    for (;;) if (count) Atomics.add(count, 0, 1);
  },
  backtrack: () => /^\s*(?:x)/m.test("\n".repeat(2_000_000)),
  grow() {
    for (const kept = []; ;) kept.push({ at: kept.length });
  },
};

parentPort.on("message", (task) => {
  say({ kind: "reading", file: "apps/web/package.json" });
  tasks[task.options?.variables?.TASK ?? task.kind](task);
});
say({ kind: "ready" });
