import { runProcess } from "../src/wiring/run-process.ts";
import { openWorker } from "../src/wiring/worker.ts";

process.exitCode = await runProcess("starbase-worker", openWorker, process.env);
