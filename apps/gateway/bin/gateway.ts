import { runMain, untilSignal } from "@starform/std/process";
import { readConfig } from "../src/config.ts";
import { openGateway } from "../src/wiring/gateway.ts";

await runMain(async () => {
  await using _gateway = await openGateway(readConfig(process.env));
  await untilSignal("SIGINT", "SIGTERM");
});
