import { migrateCommand } from "../src/wiring/migrate.ts";

process.exitCode = await migrateCommand(process.env);
