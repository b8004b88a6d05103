import { untilSignal } from "@starform/std/process";
import { readConfig } from "../src/config.ts";
import { openApiServer } from "../src/wiring/api.ts";
import { openLogger } from "../src/wiring/log.ts";

const config = readConfig(process.env);
await using _api = await openApiServer(config, openLogger("starbase-api", config.logLevel));
await untilSignal("SIGINT", "SIGTERM");
