import { openApiServer } from "../src/wiring/api.ts";
import { runProcess } from "../src/wiring/run-process.ts";

process.exitCode = await runProcess("starbase-api", openApiServer, process.env);
