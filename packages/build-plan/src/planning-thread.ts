import { parentPort } from "node:worker_threads";
import { readComponents } from "./components/read-components.ts";
import { planSource, type PlanOptions } from "./plan-source.ts";
import type { ThreadMessage } from "./planning-threads.ts";

/** What a thread of the planner is asked for. */
export type PlanningTask =
  | { readonly kind: "plan"; readonly dir: string; readonly options: PlanOptions }
  | { readonly kind: "components"; readonly dir: string };

const say = (message: ThreadMessage): void => parentPort?.postMessage(message, []);
const reading = (file: string): void => say({ kind: "reading", file });

const run = (task: PlanningTask): Promise<unknown> =>
  task.kind === "plan" ? planSource(task.dir, task.options, reading) : readComponents(task.dir, reading);

parentPort?.on("message", (task: PlanningTask) => {
  run(task).then(
    (value) => say({ kind: "done", value }),
    (error: unknown) => say({ kind: "failed", error }),
  );
});
say({ kind: "ready" });
