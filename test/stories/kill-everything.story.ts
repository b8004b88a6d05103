import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { DeploymentStatus } from "@starform/contract/states";
import { holderOf } from "@starform/std/lock";
import { isAlive } from "@starform/std/process";
import { until } from "@starform/std/retry";
import { openPlatform, type Platform, type PlatformProcessName } from "@starform/testkit/platform";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { patience, throughApi, type Files, type ThroughApi } from "./through-api.ts";

/** Slow enough in building and in starting that a process can be killed in the middle of either. */
const slowApp = (version: string): Files => ({
  "package.json": JSON.stringify({ name: "slow", scripts: { start: "node server.mjs" } }),
  "starform.json": JSON.stringify({
    buildCommand: "node build.mjs",
    healthCheck: { path: "/", timeoutSeconds: 120 },
  }),
  "build.mjs": `console.log("building ${version}");
setTimeout(() => console.log("built ${version}"), 1_500);
`,
  "server.mjs": `import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

const instance = randomUUID();
const server = createServer(({ url }, response) => {
  if (url === "/crash") process.exit(1);
  if (url.startsWith("/say/")) console.log(url.slice(5));
  response.end("${version} " + instance);
});
setTimeout(() => server.listen(Number(process.env.PORT)), 1_500);
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`,
});

const app = "slow";
let platform: Platform;
let api: ThroughApi;
let url: string;
beforeAll(async () => {
  platform = await openPlatform();
  api = await throughApi(platform, "hardy");
  await api.create(app);
  url = api.url(app);
  expect(await api.deploy(app, slowApp("v0"))).toMatchObject({ status: "deployed" });
  await untilAnswers(url, "v0 ");
});
afterAll(() => platform?.[Symbol.asyncDispose]());

type Victim = {
  readonly name: PlatformProcessName;
  readonly during: "building" | "deploying";
  /** A job runs at least once: a build whose Worker lost its memory or its database may be made again. */
  readonly buildsMax: 1 | 2;
};
const victims: Victim[] = [
  { name: "api", during: "building", buildsMax: 1 },
  { name: "worker", during: "building", buildsMax: 2 },
  { name: "postgres", during: "building", buildsMax: 2 },
  { name: "telemetry", during: "building", buildsMax: 1 },
  { name: "api", during: "deploying", buildsMax: 1 },
  { name: "worker", during: "deploying", buildsMax: 1 },
  { name: "telemetry", during: "deploying", buildsMax: 1 },
  { name: "stardeck", during: "deploying", buildsMax: 1 },
  { name: "shuttle", during: "deploying", buildsMax: 1 },
  { name: "gateway", during: "deploying", buildsMax: 1 },
  { name: "postgres", during: "deploying", buildsMax: 1 },
];
/** What a visitor may see of a gateway that is away; every other failure is a failure of the platform. */
const gatewayIsAway = /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up/;

test.each(victims)(
  "kill -9 of $name while a deployment is $during: it is deployed, once, and nothing said before is lost",
  async ({ name, during, buildsMax }) => {
    const word = `${name}-${during}`;
    await using visitor = visiting(url);
    await say(`${word}-before`);
    const begun = await api.begin(app, slowApp(word));
    await api.untilIt(begun, ({ status }) => status === during || isPast(status, during));
    await say(`${word}-meanwhile`);
    const { pid } = await platform.untilReady(name);
    await platform.kill(name);
    if (name === "gateway") await platform.untilReady(name, pid);
    await say(`${word}-after`);
    await platform.untilReady(name, pid);

    expect(await api.untilIt(begun)).toMatchObject({ status: "deployed", reason: null, isActive: true });
    await untilAnswers(url, `${word} `);
    await until("one instance to be left", async () => (await instancesServing()) === 1, patience);
    const failures = await visitor.failures();
    expect(failures.filter((seen) => name !== "gateway" || !gatewayIsAway.test(seen))).toEqual([]);

    const [latest, ...older] = await api.deployments(app);
    expect({ latest: latest?.id, number: latest?.number }).toEqual({
      latest: begun.id,
      number: older.length + 1,
    });
    const built = await until(
      "the build's line",
      async () => {
        const lines = await api.logs(app, { stream: "build", filter: `built ${word}` });
        return lines.length > 0 && lines;
      },
      patience,
    );
    expect(built.length).toBeLessThanOrEqual(buildsMax);
    for (const when of ["before", "meanwhile", "after"]) await untilSaidOnce(`${word}-${when}`);
  },
);

test("with the API and the Worker hanging, apps answer and a crashed one is started again", async () => {
  const [before] = (await visit(url)).body.split(" ");
  const held = await Promise.all((["api", "worker"] as const).map((name) => platform.untilReady(name)));
  for (const { pid } of held) process.kill(pid!, "SIGSTOP");
  try {
    const crashed = (await visit(url)).body;
    await visit(url, { path: "/crash" }).catch(() => undefined);
    const restarted = await untilAnswers(url, `${before} `);
    expect(restarted.body).not.toBe(crashed);
  } finally {
    for (const { pid } of held) process.kill(pid!, "SIGCONT");
  }
  const restarts = async () => (await api.service(app)).health.restarts > 0;
  await until("the restart to be known", restarts, patience);
});

test("kill -9 of the supervisor: the next start has the same app answer the same, and the first platform is gone", async () => {
  const before = await platform.processes();
  const [version] = (await visit(url)).body.split(" ");
  const { pid } = holderOf(join(platform.dataDir, "run/lock"))!;
  process.kill(pid, "SIGKILL");
  await until("the supervisor to be gone", () => !isAlive(pid));
  const { dataDir } = platform;
  await using again = await openPlatform({ dataDir, portBase: Number(new URL(platform.dashboardUrl).port) });
  await untilAnswers(url, `${version} `);
  expect(again.apiUrl).toBe(platform.apiUrl);
  expect(await api.service(app)).toMatchObject({
    health: { phase: expect.stringMatching(/running|starting/) },
  });
  expect(before.filter(({ pid }) => isAlive(pid ?? 0))).toEqual([]);
  expect(await instancesServing()).toBe(1);
});

const way: readonly DeploymentStatus[] = ["pending", "building", "built", "deploying", "deployed", "failed"];
/** A machine that was busy elsewhere may see a deployment only when it has gone on. */
const isPast = (status: DeploymentStatus, during: DeploymentStatus) =>
  way.indexOf(status) > way.indexOf(during);

/** Has the app write a line that can be found again. */
const say = (words: string) => visit(url, { path: `/say/${words}` });

async function untilSaidOnce(words: string): Promise<void> {
  const found = await until(
    `the line ${words}`,
    async () => {
      const lines = await api.logs(app, { filter: words });
      return lines.some(({ stream }) => stream === "stdout") && lines;
    },
    patience,
  );
  expect(found.filter(({ stream }) => stream === "stdout").map(({ message }) => message)).toEqual([words]);
}

async function instancesServing(): Promise<number> {
  const answers = await Promise.all(Array.from({ length: 6 }, () => visit(url)));
  return new Set(answers.map(({ body }) => body)).size;
}

/** Asks the app without a pause until it is told to stop; what was no 200 is a failure. */
function visiting(address: string) {
  const over = new AbortController();
  const failed: string[] = [];
  const run = (async () => {
    while (!over.signal.aborted) {
      const answer = await visit(address).catch((error: Error) => ({ status: error.message, body: "" }));
      if (answer.status !== 200) failed.push(`${answer.status} ${answer.body.slice(0, 300)}`);
      await turn();
    }
  })();
  return {
    async failures() {
      over.abort();
      await run;
      return failed;
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await run;
    },
  };
}
