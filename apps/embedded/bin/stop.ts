import { fileURLToPath } from "node:url";
import { stopCommand } from "../src/commands/stop.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
process.exitCode = await stopCommand(process.argv.slice(2), root);
