import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { client } from "@starform/client/client";
import * as deployments from "@starform/contract/deployments";
import * as projects from "@starform/contract/projects";
import * as services from "@starform/contract/services";
import { isFinal } from "@starform/contract/states";
import { pause, until } from "@starform/std/retry";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { debounceMs } from "../apps/starbase/src/core/deployments/build-line.ts";
import { freePort } from "../apps/embedded/src/postgres/start-throw-away.ts";
import { atMost, median, type Figure } from "./figure.ts";

const rounds = 5;
const example = fileURLToPath(new URL("../examples/express", import.meta.url));
const redeployTargetMs = 1_000;

/** A warm push over the same work by hand (clone, install, start, first 200), in turns; and a redeploy of one commit. */
export async function run(): Promise<Figure[]> {
  await using platform = await openPlatform();
  using app = await openPushedApp(platform);
  await app.push(0);
  await byHand(app.dir);
  const [pushes, hands]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    pushes.push(await app.push(round));
    hands.push(await byHand(app.dir));
  }
  return [
    atMost(
      "push-to-live, warm, over the work by hand",
      median(pushes) / 1_000,
      "s",
      median(pushes) / median(hands),
      1.3,
    ),
    await redeploys(app),
  ];
}

type PushedApp = Awaited<ReturnType<typeof openPushedApp>>;

/** A repository of an Express app, and a service that it is pushed to; the folder is removed at the end. */
export async function openPushedApp(platform: Platform) {
  const call = client({ url: platform.apiUrl, token: () => platform.ownerToken });
  const ref = { project: "bench", service: "web" };
  await call(projects.createProject, { body: { slug: ref.project } });
  const service = await call(services.createService, {
    params: { project: ref.project },
    body: { name: ref.service },
  });
  const parent = mkdtempSync(join(tmpdir(), "starform-bench-"));
  const dir = join(parent, "app");
  cpSync(example, dir, { recursive: true, filter: (path) => !path.includes("node_modules") });
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-C", dir, "-c", "user.name=bench", "-c", "user.email=bench@starform.localhost", ...args],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
  git("init", "-q", "-b", "main");
  const remote = new URL(service.gitUrl);
  remote.username = "token";
  remote.password = platform.ownerToken;
  let pushedAt = -Infinity;
  return {
    call,
    ref,
    dir,
    /** Commits a change and pushes it; the milliseconds from the push to the first 200. */
    async push(round: number): Promise<number> {
      writeFileSync(join(dir, "round.txt"), String(round));
      git("add", "-A");
      git("commit", "-q", "-m", `round ${round}`);
      // Of pushes in quick succession the later one waits for still later ones: that is not what is measured here.
      await pause(Math.max(0, pushedAt + debounceMs - performance.now()));
      const before = (pushedAt = performance.now());
      git("push", "-q", remote.toString(), "main");
      await answers(platform.gatewayUrl, new URL(service.url!).host);
      return performance.now() - before;
    },
    [Symbol.dispose]: () => rmSync(parent, { recursive: true, force: true }),
  };
}

/** From the call that deploys what was pushed last once more to `deployed`. */
export async function redeploys({ call, ref }: PushedApp): Promise<Figure> {
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = performance.now();
    let deployment = await call(deployments.createDeployment, { params: ref, query: {}, body: {} });
    while (!isFinal(deployment.status))
      deployment = await call(deployments.getDeployment, {
        params: { deployment: deployment.id },
        query: { seen: deployment.revision, wait: 20 },
      });
    if (deployment.status !== "deployed")
      throw new Error(`the redeploy ${deployment.status}: ${deployment.reason}`);
    tookMs.push(performance.now() - before);
  }
  const redeploy = median(tookMs);
  return atMost("redeploy of an unchanged commit", redeploy / 1_000, "s", redeploy / redeployTargetMs, 1);
}

/** What the platform replaces: clone, `npm ci`, start, the first 200. */
async function byHand(app: string): Promise<number> {
  const copy = join(dirname(app), "by-hand");
  const port = await freePort();
  const before = performance.now();
  execFileSync("git", ["clone", "-q", app, copy]);
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: copy, stdio: "ignore" });
  const start = (
    JSON.parse(readFileSync(join(copy, "package.json"), "utf8")) as { scripts: { start: string } }
  ).scripts.start;
  const child = spawn("sh", ["-c", `exec ${start}`], {
    cwd: copy,
    env: { ...process.env, PORT: String(port) },
    stdio: "ignore",
  });
  try {
    await answers(`http://127.0.0.1:${port}`, `127.0.0.1:${port}`);
    return performance.now() - before;
  } finally {
    child.kill("SIGKILL");
    rmSync(copy, { recursive: true, force: true });
  }
}

const answers = (url: string, host: string): Promise<unknown> =>
  until(`${host} answers`, () => ask(url, host), { withinMs: 60_000, everyMs: 10 });

async function ask(url: string, host: string): Promise<boolean> {
  const { request } = await import("node:http");
  return new Promise((resolve) => {
    request(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    })
      .on("error", () => resolve(false))
      .end();
  });
}
