import { runMain, untilSignal } from "@starform/std/process";
import { readConfig } from "../src/config.ts";

// The engine's work runs on these threads; the size is fixed at their first use, so it comes before the engine.
process.env.UV_THREADPOOL_SIZE ??= "12";
const { openTelemetry } = await import("../src/telemetry.ts");

await runMain(async () => {
  const config = readConfig(process.env);
  await using telemetry = await openTelemetry(config);
  console.log(
    `telemetry: ClickHouse ${telemetry.version} (chDB) on http://${config.host}:${telemetry.port}, data in ${config.dataDir}`,
  );
  await untilSignal("SIGINT", "SIGTERM");
});
