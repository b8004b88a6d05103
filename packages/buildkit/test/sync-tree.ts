import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBuildKit } from "../src/client.ts";
import type { SentFiles } from "../src/file-sync.ts";
import { define, local } from "../src/llb.ts";
import { dockerTransport } from "../src/transport.ts";

/** Sends a folder twice, with one file changed in between, and prints what travelled and the most memory it took. */
const [socketPath = "", dir = ""] = process.argv.slice(2);
await using client = await openBuildKit(dockerTransport(socketPath));
const sent: SentFiles[] = [];
const sync = () =>
  client.solve({
    source: {
      run: async (bridge) => ({ ref: await bridge.solve(define(local("context", bridge.session))) }),
    },
    services: { sharedKey: dir, dirs: { context: { path: dir, onSent: (files) => void sent.push(files) } } },
  });
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;
const before = peakBytes();
await sync();
const first = peakBytes();
writeFileSync(join(dir, "changed"), "");
truncateSync(join(dir, "changed"), 5_000);
await sync();
console.log(JSON.stringify({ sent, peaks: [before, first, peakBytes()] }));
