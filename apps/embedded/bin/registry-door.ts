import { runProgram, untilSignal } from "@starform/std/process";
import { readDoorConfig } from "../src/cluster/config.ts";
import { openRegistryDoor } from "../src/cluster/registry-door.ts";

await runProgram(async () => {
  await using _door = await openRegistryDoor(readDoorConfig(process.env));
  await untilSignal("SIGINT", "SIGTERM");
});
