#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { homedir } from "node:os";

// Half of a short command's time is reading its own source; the cache takes that away from the second run on.
enableCompileCache(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "starform", "compiled"));
const { processHost } = await import("../src/process-host.ts");
const { runCli } = await import("../src/main.ts");
process.exitCode = await runCli(processHost(process), process.argv.slice(2));
