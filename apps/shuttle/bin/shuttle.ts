import { untilSignal } from "@starform/std/process";
import { readConfig } from "../src/config.ts";
import { openShuttle } from "../src/wiring/open-shuttle.ts";

await using _shuttle = await openShuttle(readConfig(process.env));
await untilSignal("SIGINT", "SIGTERM");
