import { execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { client } from "@starform/client/client";
import * as deployments from "@starform/contract/deployments";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import { isFinal } from "@starform/contract/states";
import { until } from "@starform/std/retry";
import { searchLogs } from "@starform/contract/logs";
import { hostileBuilds, type HostileBuild } from "@starform/testkit/hostile-builds";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { untilAnswers, visit } from "@starform/testkit/visit";
import pg from "pg";
import { atMost, percentile, type Figure } from "./figure.ts";

const samples = 200;
/** Builds as a plan with two at once has them. */
const atOnce = 2;
/** Of the 95th percentile, and of the median; on two processors with two builds that want eight each. */
const targets = { p50: 3, p95: 4 };

const app = {
  "package.json": JSON.stringify({ name: "app", scripts: { start: "node server.mjs" } }),
  "server.mjs": `import { createServer } from "node:http"; createServer((_, r) => r.end("fine")).listen(Number(process.env.PORT));`,
};

/**
 * How slow the API and an app answer while two builds of each hostile kind run, over how they answer just before, on one
 * platform with processes. `STARFORM_BENCH_RUNTIME=docker` measures on Docker.
 */
export async function run(): Promise<Figure[]> {
  const runtime = process.env["STARFORM_BENCH_RUNTIME"] === "docker" ? "docker" : "process";
  await using platform = await openPlatform({ runtime });
  const world = await openWorld(platform);
  await world.deploy("app", app);
  const url = `http://app-bench.${platform.appsDomain}`;
  await untilAnswers(url, "fine");
  const asks = {
    API: () => world.call(projects.listProjects, {}),
    app: () => visit(url),
  };
  const figures: Figure[] = [];
  const { port } = new URL(platform.dashboardUrl);
  const ports = Array.from({ length: 10 }, (_, nth) => Number(port) + nth);
  for (const hostile of hostileBuilds(ports).filter(({ name }) => name !== "reach")) {
    const quiet = await measure(asks);
    await using _running = await world.hurt(hostile);
    const hurt = await measure(asks);
    for (const name of ["API", "app"] as const)
      for (const [what, share] of [
        ["p50", 0.5],
        ["p95", 0.95],
      ] as const) {
        const [before, meanwhile] = [percentile(quiet[name], share), percentile(hurt[name], share)];
        figures.push(
          atMost(
            `${name} ${what} while a build ${hostile.does}`,
            meanwhile,
            "ms",
            meanwhile / before,
            targets[what],
          ),
        );
      }
  }
  return figures;
}

type Asks = Readonly<Record<"API" | "app", () => Promise<unknown>>>;

/** Latencies in ms, one request at a time and in turns; an answer that does not come ends the measurement. */
async function measure(asks: Asks): Promise<Record<"API" | "app", number[]>> {
  const times = { API: [] as number[], app: [] as number[] };
  for (let n = 0; n < samples; n++)
    for (const name of ["API", "app"] as const) {
      const startedAt = performance.now();
      await asks[name]();
      times[name].push(performance.now() - startedAt);
    }
  return times;
}

async function openWorld(platform: Platform) {
  const call = client({ url: platform.apiUrl, token: () => platform.ownerToken });
  const database = new pg.Client(readFileSync(join(platform.dataDir, "secrets/database-url"), "utf8").trim());
  await database.connect();
  await database.query("update workspaces set plan = 'hobby'");
  await database.end();
  await call(projects.createProject, { body: { slug: "bench" } });
  const begin = async (service: string, files: Readonly<Record<string, string>>) => {
    const params = { project: "bench", service };
    await call(services.createService, { params: { project: "bench" }, body: { name: service } });
    const { sourceId } = await call(deployments.uploadSource, { params, body: archive(files) } as never);
    return call(deployments.createDeployment, { params, body: { sourceId } });
  };
  const see = (id: string) => call(deployments.getDeployment, { params: { deployment: id } });
  return {
    call,
    async deploy(service: string, files: Readonly<Record<string, string>>) {
      const { id } = await begin(service, files);
      const ended = await until(
        "it is deployed",
        async () => {
          const seen = await see(id);
          return isFinal(seen.status) && seen;
        },
        { withinMs: 300_000, everyMs: 100 },
      );
      if (ended.status !== "deployed") throw new Error(`the app was not deployed: ${ended.reason}`);
    },
    /** As many of it as may run at once, at it by now; those that end by themselves begin again until it is over. */
    async hurt({ name, files, begun: word }: HostileBuild) {
      const over = new AbortController();
      const begun = Promise.withResolvers<void>();
      const one = async (at: number) => {
        for (let round = 1; !over.signal.aborted; round++) {
          const service = `${name}-${at}-${round}`;
          const { id } = await begin(service, files);
          const isAtIt = async () => {
            const params = { project: "bench", service };
            const query = { deployment: id, stream: "build", filter: word } as const;
            const { items } = await call(searchLogs, { params, query });
            return items.some(({ message }) => message === word) || isFinal((await see(id)).status);
          };
          await until(`${name} is at it`, isAtIt, { withinMs: 120_000, everyMs: 200 });
          begun.resolve();
          await until(`${name} ends`, async () => over.signal.aborted || isFinal((await see(id)).status), {
            withinMs: 1_200_000,
            everyMs: 500,
          });
          if (!isFinal((await see(id)).status))
            await call(deployments.cancelDeployment, { params: { deployment: id } });
        }
      };
      const all = Array.from({ length: atOnce }, (_, at) => one(at));
      await begun.promise;
      return {
        async [Symbol.asyncDispose]() {
          over.abort();
          await Promise.all(all);
        },
      };
    },
  };
}

async function* archive(files: Readonly<Record<string, string>>): AsyncGenerator<Uint8Array> {
  const dir = mkdtempSync(join(tmpdir(), "starform-bench-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text);
    }
    yield execFileSync("tar", ["-czf", "-", "-C", dir, "."]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
