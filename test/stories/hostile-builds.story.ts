/**
 * Builds that harm others, on whole platforms. What each limit does to a build by itself is held in
 * apps/starbase/test/process-builder.limits.test.ts and engine-bounds.test.ts; what walls do in build-network.test.ts and
 * engine-walls.test.ts; how latencies move meanwhile is measured by bench/hostile-builds.ts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cancelDeployment, getDeployment } from "@starform/contract/deployments";
import { listProjects } from "@starform/contract/projects";
import { isFinal } from "@starform/contract/states";
import { pause, until } from "@starform/std/retry";
import { hostileBuilds, type HostileBuild } from "@starform/testkit/hostile-builds";
import { openLoad } from "@starform/testkit/load";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { processesNaming } from "@starform/testkit/processes-naming";
import { runtimes } from "@starform/testkit/runtimes";
import { untilAnswers } from "@starform/testkit/visit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { throughApi, type ThroughApi } from "./through-api.ts";

const bystander = {
  "package.json": JSON.stringify({ name: "bystander", scripts: { start: "node server.mjs" } }),
  "server.mjs": `import { createServer } from "node:http";
createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  response.end("fine " + body);
}).listen(Number(process.env.PORT));
`,
};
const patience = { withinMs: 600_000, everyMs: 200 };

describe.each(runtimes())(
  "while builds are hostile, on the runtime $name",
  { timeout: 900_000 },
  ({ name: runtime }) => {
    let platform: Platform;
    let api: ThroughApi;
    let builds: readonly HostileBuild[];
    let attempts = 0;
    beforeAll(async () => {
      platform = await openPlatform({ runtime });
      const { port } = new URL(platform.dashboardUrl);
      builds = hostileBuilds(Array.from({ length: 10 }, (_, nth) => Number(port) + nth));
      // Of the plans one with two builds at once, whose limits this machine can bear.
      const database = new Client(
        readFileSync(join(platform.dataDir, "secrets/database-url"), "utf8").trim(),
      );
      await database.connect();
      await database.query("update workspaces set plan = 'hobby'");
      await database.end();
      api = await throughApi(platform, "hostile");
      await api.create("bystander");
      expect(await api.deploy("bystander", bystander)).toMatchObject({ status: "deployed" });
      await untilAnswers(api.url("bystander"), "fine ");
    }, 600_000);
    afterAll(async () => {
      await platform?.[Symbol.asyncDispose]();
    }, 120_000);

    test("every request to an app and to the API is answered right, and each build ends with its own reason", async () => {
      const load = openLoad({
        url: api.url("bystander"),
        perSecond: 20,
        judge: ({ body }, { body: sent }) =>
          body === `fine ${sent}` ? undefined : `answered ${body.slice(0, 100)}`,
        mark: () => 0,
      });
      const asking = new AbortController();
      let asked = 0;
      const callers = (async () => {
        while (!asking.signal.aborted) {
          const { items } = await api.call(listProjects, {});
          expect(items.map(({ slug }) => slug)).toContain("hostile");
          asked += 1;
          await pause(50, asking.signal);
        }
      })();
      attempts += 1;
      // Two at a time, as the plan has it: each meets another.
      const now = builds.map((one) => ({ ...one, name: `${one.name}-${attempts}` }));
      for (const { name } of now) await api.create(name);
      try {
        await Promise.all(now.map(harm));
      } finally {
        asking.abort();
        await callers;
      }
      const report = await load.stop();
      expect(report.failures).toEqual([]);
      expect(report.answered).toBeGreaterThan(100);
      expect(asked).toBeGreaterThan(100);
    });

    /** Deploys it, and sees it end by itself or, once it has done its worst for a while, by hand. */
    async function harm({ name, files, reason, begun }: HostileBuild): Promise<void> {
      const deployment = await api.begin(name, files);
      if (!reason) {
        const hasBegun = async () =>
          (await api.logs(name, { stream: "build", filter: begun })).some(({ message }) => message === begun);
        await until(`${name} is at it`, hasBegun, patience);
        await seeItOut();
        await api.call(cancelDeployment, { params: { deployment: deployment.id } });
      }
      const ended = await until(`${name} has ended`, () => endOf(deployment.id), patience);
      const how = reason ? { status: "failed", reason } : { status: "cancelled", reason: /^cancelled by/ };
      expect(ended.status).toBe(how.status);
      expect(ended.reason).toMatch(how.reason);
    }
    async function endOf(id: string) {
      const seen = await api.call(getDeployment, { params: { deployment: id } });
      return isFinal(seen.status) && seen;
    }

    /** Some hundred requests of the others. */
    async function seeItOut(): Promise<void> {
      for (let n = 0; n < 100; n++) await api.call(listProjects, {});
    }

    test("nothing of them runs any more, and no process of the platform was started again", async () => {
      await until("their processes are gone", () => processesNaming("hostile.sh").length === 0, patience);
      const own = (await platform.processes()).filter(
        ({ name }) => name !== "stardeck" && name !== "metrics",
      );
      expect(own.length).toBeGreaterThan(5);
      expect(own.filter(({ restarts }) => restarts > 0)).toEqual([]);
    });
  },
);
