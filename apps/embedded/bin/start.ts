import { fileURLToPath } from "node:url";
import { startCommand } from "../src/commands/start.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
process.exitCode = await startCommand(process.argv.slice(2), process.env, root);
