import { openPlatform } from "@starform/testkit/platform";
import { openTerminal } from "@starform/testkit/terminal";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { atMost, percentile, type Figure } from "../figure.ts";

export const targetMs = 300;
/** Lines a second; the app writes them as they fall due, each with the time of its own writing. */
const perSecond = 1_000;
const giveUpAfterMs = 60_000;

const app = {
  "package.json": JSON.stringify({ name: "writer", scripts: { start: "node server.mjs" } }),
  "server.mjs": `import { createServer } from "node:http";

createServer(({ url }, response) => {
  const [, verb, count] = url.split("/");
  if (verb === "write") write(Number(count));
  response.end("fine");
}).listen(Number(process.env.PORT), () => console.log("listening"));

function write(total) {
  const startedAt = performance.now();
  let written = 0;
  const timer = setInterval(() => {
    const due = Math.min(total, ((performance.now() - startedAt) * ${perSecond}) / 1_000);
    while (written < due) console.log("line " + written++ + " at " + Date.now());
    if (written >= total) clearInterval(timer);
  }, 5);
}
`,
};

/**
 * From an app's own write on a real platform to the line that `starform logs --follow` hands on, by the one clock of
 * this machine. `STARFORM_BENCH_RUNTIME=docker` measures on Docker.
 */
export async function wholeWay(seconds: number): Promise<Figure> {
  const runtime = process.env["STARFORM_BENCH_RUNTIME"] === "docker" ? "docker" : "process";
  await using platform = await openPlatform({ runtime });
  using person = openTerminal(platform);
  const { url } = await person.deploy(["up", "--yes"], { cwd: person.folder("writer", app) });
  await untilAnswers(url, "fine");
  const total = seconds * perSecond;
  const tookMs: number[] = [];
  const late = AbortSignal.timeout(giveUpAfterMs + seconds * 1_000);
  for await (const line of person.follow(["logs", "--follow", "--json", "-p", "writer"], late)) {
    const seenAt = Date.now();
    const { message } = JSON.parse(line) as { message: string };
    // The backlog is there: whatever is written from now on comes by the tail.
    if (message === "listening") await visit(url, { path: `/write/${total}` });
    const writtenAt = /^line \d+ at (\d+)$/.exec(message)?.[1];
    if (writtenAt) tookMs.push(seenAt - Number(writtenAt));
    if (tookMs.length === total) break;
  }
  if (tookMs.length !== total) throw new Error(`the tail showed ${tookMs.length} of ${total} lines`);
  const p95 = percentile(tookMs, 0.95);
  return atMost(
    `an app's write to a tailing client p95 at ${perSecond.toLocaleString("en")} lines/s`,
    p95,
    "ms",
    p95 / targetMs,
    1,
  );
}
