import { setVariables } from "@starform/contract/variables";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { runtimes } from "@starform/testkit/runtimes";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { patience, throughApi, type Files, type ThroughApi } from "./through-api.ts";

/** Listens long before it is ready, answers wrongly until then, and takes its time with each answer. */
const back = (version: string): Files => ({
  Procfile: "web: node server.mjs\n",
  "server.mjs": `import { createServer } from "node:http";
const begun = performance.now();
const isReady = () => performance.now() - begun > 2_500;
const server = createServer((request, response) => {
  response.statusCode = isReady() ? 200 : 503;
  if (request.url === "/health") return response.end();
  setTimeout(() => response.end(isReady() ? "${version}" : "too early"), 20);
}).listen(process.env.PORT);
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`,
});

/** Asks its neighbour without a pause, on connections that it keeps and on new ones, and tells what it heard. */
const front: Files = {
  Procfile: "web: node server.mjs\n",
  "server.mjs": `import { Agent, createServer, get } from "node:http";
const heard = {};
const ask = (agent) => new Promise((resolve) => {
  const note = (word) => resolve(word);
  get(process.env.BACK_URL, { agent }, (response) => {
    let body = "";
    response.on("data", (chunk) => (body += chunk));
    response.on("end", () => note(response.statusCode === 200 ? body : response.statusCode + " " + body));
    response.on("error", (error) => note(String(error)));
  }).on("error", (error) => note(String(error)));
});
async function askOn(agent) {
  for (;;) {
    const word = await ask(agent);
    heard[word] = (heard[word] ?? 0) + 1;
  }
}
createServer((request, response) => {
  if (request.url === "/begin") {
    const kept = new Agent({ keepAlive: true });
    for (const agent of [kept, kept, kept, false, false]) askOn(agent);
  }
  response.end(JSON.stringify(heard));
}).listen(process.env.PORT);
`,
};

describe.each(runtimes())("a private address, on the runtime $name", ({ name: runtime }) => {
  let platform: Platform;
  let api: ThroughApi;
  beforeAll(async () => {
    platform = await openPlatform({ runtime });
    api = await throughApi(platform, "private");
  });
  afterAll(() => platform?.[Symbol.asyncDispose]());

  const heard = async () =>
    JSON.parse((await visit(api.url("front"))).body) as Readonly<Record<string, number>>;

  test("is answered by ready instances only, and not one request is lost when versions change", async () => {
    await api.create("front");
    await api.create("back", {
      settings: { replicas: 2, healthCheck: { path: "/health", timeoutSeconds: 60 } },
    });
    await api.call(setVariables, {
      params: { project: "private", service: "front" },
      body: { variables: { BACK_URL: "${{back.STARFORM_PRIVATE_URL}}" } },
    });
    // The one that asks is there first: it has to learn of its neighbour while it runs.
    await api.deploy("front", front);
    await untilAnswers(api.url("front"), "{}");
    const versions = ["v1", "v2", "v3"];
    for (const version of versions) {
      const { status, reason } = await api.deploy("back", back(version));
      expect({ status, reason }).toEqual({ status: "deployed", reason: null });
      if (version === "v1") await visit(api.url("front"), { path: "/begin" });
      await until(`${version} to be heard`, async () => version in (await heard()), patience);
    }
    // The last old instance is gone when its own drain is over.
    const before = (await heard())["v3"] ?? 0;
    await until("many more answers", async () => ((await heard())["v3"] ?? 0) > before + 200, patience);
    expect(Object.keys(await heard()).toSorted()).toEqual(versions);
  });
});
