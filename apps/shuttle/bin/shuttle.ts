import { keepHeapSmall } from "@starform/std/small-heap";

const args = process.argv.slice(2);
// Everything else is loaded after it: see there.
if (args.length === 0) keepHeapSmall();
const { untilSignal } = await import("@starform/std/process");
const { readConfig, readOperatorConfig } = await import("../src/config.ts");
if (args.length === 0) {
  const { openShuttle } = await import("../src/wiring/open-shuttle.ts");
  await using _shuttle = await openShuttle(readConfig(process.env));
  await untilSignal("SIGINT", "SIGTERM");
} else {
  try {
    const { operate } = await import("../src/wiring/operate.ts");
    const { text, json } = await operate(args, readOperatorConfig(process.env));
    console.log(args.includes("--json") ? JSON.stringify(json) : text);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
