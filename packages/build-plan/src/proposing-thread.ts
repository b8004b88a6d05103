import { parentPort } from "node:worker_threads";
import type { ThreadMessage } from "./planning-threads.ts";
import { proposeServices } from "./propose-services.ts";

const say = (message: ThreadMessage): void => parentPort?.postMessage(message, []);

parentPort?.on("message", (dir: string) => {
  proposeServices(dir).then(
    (value) => say({ kind: "done", value }),
    (error: unknown) => say({ kind: "failed", error }),
  );
});
say({ kind: "ready" });
