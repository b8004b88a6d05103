import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { openAnswering } from "./answering.ts";
import { chapters } from "./chapters/all.ts";
import { play } from "./play.ts";

/** Plays every chapter on the server of `TEST_KUBECONFIG`, which must have all its controllers, and keeps the answers. */
const kubeconfigFile = process.env["TEST_KUBECONFIG"];
if (!kubeconfigFile) throw new Error("TEST_KUBECONFIG says which server is to be recorded");
using server = await openAnswering({ kubeconfigFile });
const lines: string[] = [];
for (const chapter of chapters)
  for (const played of await play(chapter, server))
    lines.push(JSON.stringify({ chapter: chapter.title, ...played }));
writeFileSync(new URL("recorded.jsonl.gz", import.meta.url), gzipSync(`${lines.join("\n")}\n`, { level: 9 }));
console.log(`${lines.length} answers were recorded`);
