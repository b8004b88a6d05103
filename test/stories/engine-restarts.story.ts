import { rmSync } from "node:fs";
import { setVariables } from "@starform/contract/variables";
import { until } from "@starform/std/retry";
import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { openOutside, untilAnswered, type Outside } from "@starform/testkit/outside";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { patience, throughApi, type Files, type ThroughApi } from "./through-api.ts";

/** Says what it is asked for, and what its neighbour answers, or at `/metadata` a cloud. */
const app = (version: string): Files => ({
  Procfile: "web: node server.mjs\n",
  "server.mjs": `import { createServer } from "node:http";
const cloud = () => fetch(process.env.METADATA_URL, { signal: AbortSignal.timeout(3_000) });
const server = createServer(async ({ url }, response) => {
  if (url === "/metadata") return response.end(await cloud().then((answer) => answer.text(), () => "silence"));
  if (url !== "/") console.log("said " + url.slice(1));
  const other = process.env.NEIGHBOUR_URL;
  const heard = other ? await fetch(other).then((answer) => answer.text(), String) : "nobody";
  response.end("${version} heard " + heard);
}).listen(process.env.PORT);
process.once("SIGTERM", () => server.close(() => process.exit(0)));
`,
});

describe.skipIf(!requireEngineInCi())("apps in an engine that is restarted under them", () => {
  let platform: Platform;
  let api: ThroughApi;
  let url: string;
  let outside: Outside;
  const said: string[] = [];
  beforeAll(async () => {
    outside = await openOutside();
    platform = await openPlatform({ runtime: "docker" });
    api = await throughApi(platform, "lasting");
    url = api.url("front");
    await api.create("back");
    await api.create("front");
    await api.call(setVariables, {
      params: { project: "lasting", service: "front" },
      body: {
        variables: {
          NEIGHBOUR_URL: "${{back.STARFORM_PRIVATE_URL}}",
          METADATA_URL: outside.metadataUrls[0]!,
        },
      },
    });
    for (const name of ["back", "front"])
      expect(await api.deploy(name, app(`${name}-1`))).toMatchObject({ status: "deployed" });
    await untilAnswers(url, "front-1 heard back-1 heard nobody");
  });
  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
    if (platform) rmSync(platform.dataDir, { recursive: true, force: true });
    await outside?.[Symbol.asyncDispose]();
  });

  const say = async (word: string): Promise<void> => {
    said.push(word);
    await visit(url, { path: `/${word}` });
  };
  /** Both services run as before, behind the same wall, nobody calls it a crash, and every line is there once. */
  async function expectAllAsBefore(): Promise<void> {
    await untilAnswers(url, "front-1 heard back-1 heard nobody");
    await untilAnswered(outside.metadataUrls);
    expect(await visit(url, { path: "/metadata" })).toMatchObject({ status: 200, body: "silence" });
    for (const name of ["back", "front"]) {
      const health = await until(
        `${name} to be told as running`,
        async () => {
          const { health } = await api.service(name);
          return health.phase === "running" && health;
        },
        patience,
      );
      expect({ name, restarts: health.restarts, reason: health.reason }).toEqual({
        name,
        restarts: 0,
        reason: null,
      });
      expect(await api.deployments(name)).toMatchObject([{ number: 1, status: "deployed", isActive: true }]);
    }
    const lines = await until(
      "every line",
      async () => {
        const found = (await api.logs("front", { filter: "said" })).map(({ message }) => message);
        return found.length >= said.length && found;
      },
      patience,
    );
    expect(lines.toSorted()).toEqual(said.map((word) => `said ${word}`).toSorted());
  }

  test.each(["SIGKILL", "SIGTERM"] as const)("they answer again after %s of the engine", async (signal) => {
    await say(`before-${signal}`);
    const { pid } = await platform.untilReady("docker");
    process.kill(pid!, signal);
    await platform.untilReady("docker", pid);
    await expectAllAsBefore();
    await say(`after-${signal}`);
    await expectAllAsBefore();
  });

  test("they answer again after the whole platform was stopped and started", async () => {
    const { dataDir } = platform;
    const portBase = Number(new URL(platform.dashboardUrl).port);
    await platform.stop();
    expect(await visit(url).catch(() => "silence")).toBe("silence");
    platform = await openPlatform({ dataDir, portBase, runtime: "docker" });
    await expectAllAsBefore();
    await say("after-stop");
    await expectAllAsBefore();
  });

  test("the engine still builds", async () => {
    expect(await api.deploy("back", app("back-2"))).toMatchObject({ status: "deployed", number: 2 });
    await untilAnswers(url, "front-1 heard back-2");
  });
});
