import { writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import { openAnswering } from "./answering.ts";
import { chapters } from "./chapters/all.ts";
import { play } from "./play.ts";
import { recordedOf } from "./recorded.ts";

/** Shows every request that the fake answers otherwise than recorded; `--write` makes them the known differences. */
await using server = await openFakeKubernetes({ nodes: [], hasGatewayController: false });
using fake = await openAnswering({ kubeconfig: server.kubeconfig() });
const lines: string[] = [];
for (const { title, ...chapter } of chapters) {
  const recorded = recordedOf(title);
  for (const [at, ours] of (await play({ title, ...chapter }, fake)).entries()) {
    if (isDeepStrictEqual(ours, recorded[at])) continue;
    const { asked } = ours;
    lines.push(JSON.stringify({ chapter: title, at, asked }));
    console.log(`${title} ${at}: ${asked}`);
    console.log(`  ours   ${JSON.stringify(ours.answer)}\n  theirs ${JSON.stringify(recorded[at]?.answer)}`);
  }
}
if (process.argv.includes("--write"))
  writeFileSync(new URL("known-differences.jsonl", import.meta.url), `${lines.join("\n")}\n`);
console.log(`${lines.length} answers differ`);
