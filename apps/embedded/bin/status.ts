import { fileURLToPath } from "node:url";
import { statusCommand } from "../src/commands/status.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
process.exitCode = statusCommand(process.argv.slice(2), root);
