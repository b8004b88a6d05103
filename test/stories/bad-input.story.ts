/**
 * What a person gets wrong, seen on a whole platform. Held elsewhere, where no platform is needed:
 *
 * - an empty folder, 2 GB, sockets, loops of links, names with newlines: apps/cli/test/up.test.ts,
 *   packages/build-plan/test/hostile-sources.test.ts, apps/starbase/test/sources.test.ts
 * - a build that hangs, prints 1 GB, forks a bomb, fills the disk: apps/starbase/test/process-builder.limits.test.ts
 * - a reference cycle, a secret with NUL, newline, 1 MB: apps/starbase/test/delivery.http.test.ts
 * - a full disk, a data directory of a newer version: apps/embedded/test/{data-dir,platform}.test.ts;
 *   a disk that fills while the platform runs: apps/starbase/test/{full-disk,run-build}.test.ts (requests, uploads,
 *   builds), apps/cli/test/up.test.ts, apps/shuttle/src/loops/desired-state.test.ts
 * - a clock that jumps: apps/shuttle/src/core/cron-schedule.test.ts,
 *   apps/shuttle/src/adapters/local/{clock-jumps,cron-book}.test.ts, apps/starbase/src/http/present.test.ts
 * - a rejected command, flag or setting: apps/cli/test/command-line.test.ts, packages/build-plan/src/starform-file.test.ts
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createToken } from "@starform/contract/identity";
import { until } from "@starform/std/retry";
import { processesNaming } from "@starform/testkit/processes-naming";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { openTerminal, writeFiles, type Terminal } from "@starform/testkit/terminal";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { hasWayOut } from "@starform/testkit/way-out";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { patience, throughApi, type Files, type ThroughApi } from "./through-api.ts";

vi.setConfig({ maxConcurrency: 3 });

const nodeApp = (source: string, start = "node server.mjs"): Record<string, string> => ({
  "package.json": JSON.stringify({ name: "app", scripts: { start } }),
  "server.mjs": source,
});
const goodApp = (version: string): Record<string, string> =>
  nodeApp(`import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
const instance = randomUUID();
createServer((_, response) => response.end("${version} " + instance)).listen(Number(process.env.PORT));
`);
const starform = (settings: object) => ({ "starform.json": JSON.stringify(settings) });
const readyWithin = (timeoutSeconds: number) => starform({ healthCheck: { path: "/", timeoutSeconds } });

let platform: Platform;
let api: ThroughApi;
let bystander: string;
beforeAll(async () => {
  platform = await openPlatform();
  api = await throughApi(platform, "clumsy");
  await api.create("bystander");
  expect(await api.deploy("bystander", goodApp("fine"))).toMatchObject({ status: "deployed" });
  bystander = (await untilAnswers(api.url("bystander"), "fine ")).body;
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
});

type Case = { readonly name: string; readonly what: string; readonly files: Files; readonly reason: RegExp };
const failing: Case[] = [
  {
    name: "deaf",
    what: "an app that never listens",
    files: { ...nodeApp("setInterval(() => undefined, 1_000);"), ...readyWithin(5) },
    reason: /^not ready within 5\.0 s: nothing listens on port \d+: listen on the port in PORT$/,
  },
  {
    name: "elsewhere",
    what: "an app that listens on another port",
    files: {
      ...nodeApp(`import { createServer } from "node:http"; createServer().listen(0);`),
      ...readyWithin(15),
    },
    reason: /^not ready within 15 s: listens on \d+, but PORT is \d+: listen on the port in PORT$/,
  },
  {
    name: "hasty",
    what: "an app that exits at once",
    files: nodeApp(`throw new Error("DATABASE_URL is not set");`),
    reason:
      /^exited with code 1 after [\d.]+ \w+: see why with starform logs; its last line: Error: DATABASE_URL is not set$[^]*^    Error: DATABASE_URL is not set$/m,
  },
  {
    name: "unwell",
    what: "an app whose health check answers 500",
    files: {
      ...nodeApp(`import { createServer } from "node:http";
createServer((_, response) => response.writeHead(500).end()).listen(Number(process.env.PORT));`),
      ...readyWithin(10),
    },
    reason:
      /^not ready within 10 s: GET \/ answered 500; make it answer with 200, or name another path under healthCheck$/,
  },
  {
    name: "unknown",
    what: "a repository without a known app",
    files: { "notes.txt": "buy milk" },
    reason: /^[^\n]*Procfile[^\n]*Dockerfile[^\n]*$/,
  },
  {
    name: "torn",
    what: "a repository with a broken lock file",
    files: { ...goodApp("torn"), "package-lock.json": '{\n<<<<<<< HEAD\n"a": 1\n=======\n' },
    reason:
      /^[^\n]*package-lock\.json is broken: it holds an unresolved merge conflict[^\n]*npm install[^\n]*$/,
  },
  {
    name: "unbuilt",
    what: "a repository whose build fails",
    files: {
      ...goodApp("unbuilt"),
      "build.mjs": `throw new Error("cannot find ./missing");`,
      ...starform({ buildCommand: "node build.mjs" }),
    },
    reason:
      /^the step "build" failed: .*node build\.mjs.* ended with exit code 1\n[\s\S]*Error: cannot find \.\/missing/,
  },
  {
    name: "misspelt",
    what: "a starform.json with an unknown key",
    files: { ...goodApp("misspelt"), ...starform({ healtCheck: { path: "/" } }) },
    reason: /^[^\n]*healtCheck[^\n]*healthCheck[^\n]*$/,
  },
];

describe("a deployment fails in one sentence with the way out", () => {
  test.concurrent.for(failing)("of $what", async ({ name, files, reason }, { expect: expectIt }) => {
    await api.create(name);
    const ended = await api.deploy(name, files);
    expectIt(ended).toMatchObject({
      status: "failed",
      reason: expect.stringMatching(reason),
      isActive: false,
    });
    expectIt(ended.reason).toSatisfy(hasWayOut);
    expectIt(await api.service(name)).toMatchObject({ activeDeploymentId: null });
  });

  test.concurrent("of an app that leaks memory", async ({ skip, expect: expectIt }) => {
    if (!/"capabilities":\[[^\]]*"memory-limit"/.test(platform.logs("shuttle")))
      return skip("this machine cannot limit memory");
    await api.create("leaky");
    const leak = "const kept = []; setInterval(() => kept.push(Buffer.alloc(32 << 20, 1)), 20);";
    const ended = await api.deploy("leaky", nodeApp(leak));
    expectIt(ended).toMatchObject({
      status: "failed",
      reason: expect.stringMatching(
        /^killed: used more than 512 MiB, the limit of tier mininova: make it use less/,
      ),
    });
  });
});

test("what an app does wrong is told by the API within five seconds of its being knowable", async () => {
  await api.create("prompt");
  const source = `import { createServer } from "node:http";
createServer().listen(0, () => console.log("listens elsewhere"));`;
  await api.begin("prompt", { ...nodeApp(source), ...readyWithin(60) });
  const toldAt = until(
    "it is told",
    async () =>
      /listens on \d+, but PORT is/.test((await api.service("prompt")).health.reason ?? "") && Date.now(),
    patience,
  );
  const [line] = await until(
    "the app's line",
    async () => {
      const lines = await api.logs("prompt", { filter: "listens elsewhere", stream: "stdout" });
      return lines.length > 0 && lines;
    },
    patience,
  );
  expect((await toldAt) - Date.parse(line!.ts)).toBeLessThan(5_000);
});

test("an app that ignores SIGTERM is ended after its drain time and told of it, and the next version answers", async () => {
  await api.create("stubborn", { settings: { drainSeconds: 1 } });
  const stubborn = (version: string) => {
    const { "server.mjs": server = "" } = goodApp(version);
    const marker = `stubborn-${version}-of-${platform.ownerToken.slice(-6)}`;
    const source = `process.on("SIGTERM", () => undefined);\n${server.replace(/^(import.*\n)+/, "")}`;
    const imports = /^(import.*\n)+/.exec(server)?.[0] ?? "";
    return { marker, files: nodeApp(imports + source, `node server.mjs ${marker}`) };
  };
  const [first, second] = [stubborn("first"), stubborn("second")];
  expect(await api.deploy("stubborn", first.files)).toMatchObject({ status: "deployed" });
  await untilAnswers(api.url("stubborn"), "first ");
  const isThere = process.platform === "linux";
  expect(processesNaming(first.marker).length > 0).toBe(isThere);
  expect(await api.deploy("stubborn", second.files)).toMatchObject({ status: "deployed" });
  await until("the first version to be gone", () => processesNaming(first.marker).length === 0, patience);
  expect((await visit(api.url("stubborn"))).body).toMatch(/^second /);
  const told = async () => (await api.logs("stubborn", { stream: "system" })).map(({ message }) => message);
  expect(await until("it is told", async () => (await told()).length > 0 && told(), patience)).toEqual([
    expect.stringMatching(/^killed because it did not end within 1\.0 s of SIGTERM: let it end when .+/),
  ]);
});

describe("pushes that are not the usual one", () => {
  let person: Terminal;
  let folder: string;
  let remote: string;
  const push = async (...args: string[]) =>
    (await person.git(["push", remote, ...args], { cwd: folder })).stderr;
  const change = async (version: string, ...flags: string[]) => {
    writeFiles(folder, goodApp(version));
    await person.git(["commit", "-qam", version, ...flags], { cwd: folder });
  };
  const answer = async () => (await visit(api.url("pushed"))).body;
  beforeAll(async () => {
    person = openTerminal(platform);
    const { gitUrl } = await api.create("pushed");
    remote = gitUrl.replace("://", `://any:${platform.ownerToken}@`);
    folder = person.folder("pushed", goodApp("v1"));
    await person.commit(folder, "v1");
    expect(await push("main")).toContain(`deployed: ${api.url("pushed")}`);
  });
  afterAll(() => person?.[Symbol.dispose]());

  test("a tag and a deleted branch deploy nothing and say so; what runs keeps running", async () => {
    const before = await answer();
    await person.git(["tag", "release"], { cwd: folder });
    expect(await push("release")).toContain("tag release: kept, but tags do not deploy");
    expect(await push(":main")).toContain("branch main deleted: nothing to deploy, what runs keeps running");
    expect(await api.deployments("pushed")).toHaveLength(1);
    expect(await answer()).toBe(before);
  });

  test("a force-push is deployed as what it is", async () => {
    await change("v2", "--amend");
    expect(await push("--force", "main")).toContain("deployed: ");
    await change("v3", "--amend");
    expect(await push("main")).toContain("[rejected]");
    expect(await answer()).toMatch(/^v2 /);
    expect(await push("--force", "main")).toContain("deployed: ");
    expect(await answer()).toMatch(/^v3 /);
  });

  test("of two pushes in a second the later one is what runs, and the first is told", async () => {
    const { length } = await api.deployments("pushed");
    await change("v4");
    const first = push("main");
    await until("the first push", async () => (await api.deployments("pushed")).length > length, patience);
    await change("v5");
    expect(await push("main")).toContain("deployed: ");
    expect(await first).toMatch(/superseded by #\d+|deployed: /);
    const [last, other] = await api.deployments("pushed");
    expect(last).toMatchObject({ number: length + 2, status: "deployed", isActive: true });
    expect(other).toMatchObject({ isActive: false });
    expect(await answer()).toMatch(/^v5 /);
  });
});

test("a wrong and an expired token are one sentence with the way to a new one, for starform and for Git", async () => {
  const { secret: expired } = await api.call(createToken, { body: { name: "old", expiresInDays: 1 } });
  const database = new Client(readFileSync(join(platform.dataDir, "secrets/database-url"), "utf8").trim());
  await database.connect();
  await database.query("update api_tokens set expires_at = now() - interval '1 minute' where name = 'old'");
  await database.end();
  const { gitUrl } = await api.service("bystander");
  for (const ownerToken of ["sf_wrong", expired]) {
    using person = openTerminal({ apiUrl: platform.apiUrl, ownerToken });
    const told = await person.starform(["projects"]);
    expect(told).toMatchObject({ code: 1, stdout: "" });
    expect(told.stderr.trim()).toMatch(
      /^[^\n]*token is wrong, expired or revoked: run `starform login`[^\n]*$/,
    );
    const folder = person.folder("any", goodApp("stolen"));
    await person.commit(folder, "stolen");
    const remote = gitUrl.replace("://", `://any:${ownerToken}@`);
    const pushed = await person.git(["push", remote, "main"], { cwd: folder });
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toMatch(/^remote: [^\n]*token is wrong, expired or revoked: run `starform login`/m);
    expect(told.stderr + pushed.stderr).not.toContain(expired);
  }
});

test("a second start in the same data directory, or on the same ports, is refused with the way out", async () => {
  const other = mkdtempSync(join(tmpdir(), "starform-other-"));
  const { port } = new URL(platform.dashboardUrl);
  const same = await start("--data-dir", platform.dataDir, "--port-base", port);
  expect(same).toMatchObject({ code: 1, stdout: "" });
  expect(same.stderr).toMatch(/already runs in .* at http:\/\/localhost:\d+.*npm stop.*--data-dir/);
  const busy = await start("--data-dir", other, "--port-base", port);
  expect(busy).toMatchObject({ code: 1, stdout: "" });
  expect(busy.stderr).toMatch(/Port \d+, which \w+ needs, is in use.*--port-base \d+/);
  rmSync(other, { recursive: true, force: true });
});

test("after all of that the bystander was not touched", async () => {
  expect((await visit(api.url("bystander"))).body).toBe(bystander);
  expect(await api.deployments("bystander")).toHaveLength(1);
  const own = (await platform.processes()).filter(({ name }) => name !== "stardeck" && name !== "metrics");
  expect(own.length).toBeGreaterThan(5);
  expect(own.filter(({ restarts }) => restarts > 0)).toEqual([]);
});

/** The platform's own start command; answers what it said. */
async function start(...flags: string[]) {
  const program = fileURLToPath(new URL("../../apps/embedded/bin/start.ts", import.meta.url));
  const args = [program, "--detach", "--json", "--runtime", "process", "--no-system-packages", ...flags];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}
