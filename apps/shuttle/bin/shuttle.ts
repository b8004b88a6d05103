import { runMain, untilSignal } from "@starform/std/process";
import { keepHeapSmall } from "@starform/std/small-heap";
import { readConfig, readOperatorConfig } from "../src/config.ts";
import { openShuttle } from "../src/wiring/open-shuttle.ts";
import { operate } from "../src/wiring/operate.ts";

const args = process.argv.slice(2);
if (args.length === 0) {
  keepHeapSmall();
  await runMain(async () => {
    await using _shuttle = await openShuttle(readConfig(process.env));
    await untilSignal("SIGINT", "SIGTERM");
  });
} else {
  try {
    const { text, json } = await operate(args, readOperatorConfig(process.env));
    console.log(args.includes("--json") ? JSON.stringify(json) : text);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
