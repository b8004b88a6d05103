import { untilSignal } from "@starform/std/process";
import { readConfig } from "../src/config.ts";
import { openLogger } from "../src/wiring/log.ts";
import { openWorker } from "../src/wiring/worker.ts";

const config = readConfig(process.env);
await using _worker = await openWorker(config, openLogger("starbase-worker", config.logLevel));
await untilSignal("SIGINT", "SIGTERM");
