import type { Deployment } from "@starform/contract/deployments";
import type { LogEntry } from "@starform/contract/logs";
import { until } from "@starform/std/retry";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { patience, throughApi, type LogSearch, type ThroughApi } from "./through-api.ts";

const files = {
  "package.json": JSON.stringify({ name: "writer", scripts: { start: "node server.mjs" } }),
  "starform.json": JSON.stringify({ buildCommand: "node build.mjs" }),
  "build.mjs": `console.log("the build says hello");\n`,
  "server.mjs": `import { createServer } from "node:http";

let stamp = 0;
let timer;
createServer(({ url }, response) => {
  const [, verb, words = ""] = url.split("/");
  if (verb === "begin") timer = setInterval(() => console.log("stamp " + ++stamp), 20);
  if (verb === "end") clearInterval(timer);
  if (verb === "say") console.log(decodeURIComponent(words));
  if (verb === "flood") process.stdout.write(Array.from({ length: Number(words) }, (_, n) => "flood " + n + "\\n").join(""));
  response.end("stamp " + stamp);
}).listen(Number(process.env.PORT));
`,
};

let platform: Platform;
let api: ThroughApi;
const deployed = new Map<string, Deployment>();
beforeAll(async () => {
  platform = await openPlatform();
  api = await throughApi(platform, "diary");
  for (const name of ["writer", "flooder"]) {
    await api.create(name);
    deployed.set(name, await api.deploy(name, files));
    await untilAnswers(api.url(name), "stamp 0");
  }
});
afterAll(() => platform?.[Symbol.asyncDispose]());

const ask = async (service: string, path: string): Promise<string> =>
  (await visit(api.url(service), { path })).body;
const say = (words: string) => ask("writer", `/say/${encodeURIComponent(words)}`);
const messages = (entries: readonly LogEntry[]) => entries.map(({ message }) => message);

test("a tail shows each line once and in order, though the store is killed in between", async () => {
  await using tail = follow("writer");
  await ask("writer", "/begin");
  await until("lines to come", () => tail.seen("stamp ").length > 20, patience);
  const { pid } = await platform.untilReady("telemetry");
  await platform.kill("telemetry");
  await platform.untilReady("telemetry", pid);
  const soFar = tail.seen("stamp ").length;
  await until("lines to come again", () => tail.seen("stamp ").length > soFar + 20, patience);
  const last = Number((await ask("writer", "/end")).split(" ")[1]);
  await until("the last line", () => tail.seen("stamp ").includes(`stamp ${last}`), patience);
  const written = Array.from({ length: last }, (_, n) => `stamp ${n + 1}`);
  expect(tail.seen("stamp ")).toEqual(written);
  expect(messages((await api.logs("writer", { filter: "stamp " })).toReversed()).toSorted()).toEqual(
    written.toSorted(),
  );
});

test("lines are found by text, level and time", async () => {
  const said = { stream: "stdout" };
  await say("the first Needle in the hay");
  const first = await found("writer", { ...said, filter: "needle" }, 1);
  expect(messages(first)).toEqual(["the first Needle in the hay"]);
  const since = new Date(Date.parse(first[0]!.ts) + 1).toISOString();
  await say("warning: the second needle");
  await say(JSON.stringify({ level: "error", msg: "the third needle" }));
  const both = await found("writer", { ...said, filter: "needle", since }, 2);
  expect(messages(both)).toEqual([
    "warning: the second needle",
    '{"level":"error","msg":"the third needle"}',
  ]);
  expect(await found("writer", { ...said, filter: "needle", until: since }, 1)).toEqual(first);
  expect(messages(await found("writer", { ...said, filter: "needle", level: "error" }, 1))).toEqual([
    both[1]?.message,
  ]);
  expect(await found("writer", { ...said, filter: "needle", level: "warn,error" }, 2)).toEqual(both);
});

test("a deployment's build has its own lines", async () => {
  const { id, buildId } = deployed.get("writer")!;
  const lines = await found("writer", { stream: "build", deployment: id, filter: "hello" }, 1);
  expect(lines[0]).toMatchObject({
    stream: "build",
    deploymentId: id,
    buildId,
    message: "the build says hello",
  });
  const whole = await api.logs("writer", { deployment: id, stream: "build" });
  expect(whole.length).toBeGreaterThan(2);
});

test("each request is a record of its own", async () => {
  await ask("writer", "/a-page?secret=of-the-visitor");
  const [record] = await found("writer", { stream: "http", filter: "/a-page" }, 1);
  expect(record).toMatchObject({
    stream: "http",
    attributes: { method: "GET", path: "/a-page?secret=*", status: 200 },
  });
  expect(JSON.stringify(record)).not.toContain("of-the-visitor");
});

test("a flood beyond the budget leaves a record of how many lines are missing, and holds up no other service", async () => {
  const count = 200_000;
  await using tail = follow("writer");
  await until("the tail to be there", () => tail.seen("").length > 0, patience);
  await ask("flooder", `/flood/${count}`);
  await say("calm in the storm");
  await until("the neighbour's line", () => tail.seen("calm in the storm").length === 1, patience);
  const accounted = async () => {
    const gaps = (await api.logs("flooder", { stream: "system" })).filter(
      ({ attributes }) => attributes?.["gap"],
    );
    const missing = gaps.reduce((sum, { attributes }) => sum + Number(attributes?.["count"] ?? 0), 0);
    const kept = (await api.logs("flooder", { filter: "flood ", stream: "stdout" })).length;
    return missing + kept >= count && { missing, kept, gaps };
  };
  const { missing, kept, gaps } = await until("every line to be there or missed", accounted, patience);
  expect(missing + kept).toBe(count);
  expect(missing).toBeGreaterThan(0);
  expect(kept).toBeGreaterThan(1_000);
  for (const { message, level } of gaps) {
    expect(level).toBe("warn");
    expect(message).toMatch(
      /^\d+ lines? (was|were) dropped between .* and .*: the service writes more lines/,
    );
  }
});

/** So many lines of a search, oldest first, as soon as they are there. */
const found = (service: string, query: LogSearch, count: number): Promise<LogEntry[]> =>
  until(
    `${count} lines of ${JSON.stringify(query)}`,
    async () => {
      const lines = await api.logs(service, query);
      return lines.length >= count && lines;
    },
    patience,
  );

/** A client that stays and sees what comes. */
function follow(service: string) {
  const ending = new AbortController();
  const lines: string[] = [];
  const run = async () => {
    for await (const { message, stream } of api.tail(service, ending.signal))
      if (stream === "stdout") lines.push(message);
  };
  const running = run().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  return {
    seen: (text: string) => lines.filter((line) => line.includes(text)),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
