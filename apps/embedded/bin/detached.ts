import { runDetached, type Detached } from "../src/commands/detached.ts";

process.exitCode = await runDetached(JSON.parse(process.argv[2] ?? "") as Detached);
