import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startThrowAwayPostgres } from "../apps/embedded/src/postgres/start-throw-away.ts";
import { migrate } from "../apps/starbase/src/adapters/postgres/migrate.ts";

/** Writes the types of the schema as the migrations make it; with --check it only compares and fails on a difference. */
const out = fileURLToPath(new URL("../apps/starbase/src/adapters/postgres/schema.gen.ts", import.meta.url));
const codegen = fileURLToPath(new URL("../node_modules/.bin/kysely-codegen", import.meta.url));
const isCheck = process.argv.includes("--check");

await using postgres = await startThrowAwayPostgres();
await migrate(postgres.url);
const args = [
  "--dialect",
  "postgres",
  "--url",
  postgres.url,
  "--out-file",
  out,
  "--default-schema",
  "public",
  "--include-pattern",
  "public.*",
  // What the driver answers: 64-bit numbers are read as numbers (they count things), JSON is checked where it is read.
  "--type-mapping",
  JSON.stringify({ int8: "number", json: "unknown", jsonb: "unknown" }),
  ...(isCheck ? ["--verify"] : []),
];
const child = spawn(codegen, args, { stdio: "inherit" });
const [code] = (await once(child, "exit")) as [number | null];
process.exitCode = code ?? 1;
