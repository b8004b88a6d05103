import { runMain, untilSignal } from "@starform/std/process";
import { readDoorConfig } from "../src/cluster/config.ts";
import { openRegistryDoor } from "../src/cluster/registry-door.ts";

await runMain(async () => {
  await using _door = await openRegistryDoor(readDoorConfig(process.env));
  await untilSignal("SIGINT", "SIGTERM");
});
