#!/usr/bin/env node
import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { homedir } from "node:os";

// Half of a short command's time is reading its own source; the cache takes that away from the second run on.
enableCompileCache(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "starform", "compiled"));
const root = join(import.meta.dirname, "../../..");
const cloneDir = existsSync(join(root, "apps/embedded")) ? root : undefined;
const { processHost } = await import("../src/process-host.ts");
const { runCli } = await import("../src/main.ts");
process.exitCode = await runCli(processHost(process, cloneDir), process.argv.slice(2));
