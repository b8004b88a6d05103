import { readConfig } from "../src/config.ts";
import { migrate } from "../src/adapters/postgres/migrate.ts";

await migrate(readConfig(process.env).database.url);
