import { execFileSync } from "node:child_process";
import { existsSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import {
  createDeployment,
  getDeployment,
  uploadSource,
  type Deployment,
} from "@starform/contract/deployments";
import { searchLogs, tailLogs, type LogEntry } from "@starform/contract/logs";
import { createProject, getProject, listEnvironments } from "@starform/contract/projects";
import { sourceLimits, type SourceLimits } from "@starform/contract/source-limits";
import { createService, getService, listServices, ServiceSettings } from "@starform/contract/services";
import { setVariables } from "@starform/contract/variables";
import { Fault } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { hasWayOut } from "@starform/testkit/way-out";
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { fakePlatform, on, type Handlers } from "./fake-platform.ts";
import { aFolder, interruptWith, starform } from "./run-starform.ts";
import { aDeployment, aLine, aProject, aService, deploymentId, ids } from "./sample-answers.ts";

const app = { "package.json": '{"scripts":{"start":"node server.js"}}', "server.js": "console.log(1)" };
const resultKeys = ["deploymentId", "status", "url", "imageDigest", "durationMs"];

/** A platform on which nothing exists yet and a deployment goes through the given states, one an ask. */
function aPlatformThatDeploys(states: Partial<Deployment>[], lines: LogEntry[] = []) {
  const made = { project: false, service: false };
  const sources: string[] = [];
  const steps = states.map((state, at) => aDeployment({ number: 1, revision: at + 2, ...state }));
  let asked = 0;
  const missing = (what: string): never => {
    throw new Fault("not_found", `no such ${what}`);
  };
  const handlers: Handlers = {
    ...on(getProject, () => (made.project ? aProject({ slug: "my-shop" }) : missing("project"))),
    ...on(createProject, ({ body }) => {
      made.project = true;
      return aProject({ slug: body.slug });
    }),
    ...on(getService, ({ params }) =>
      made.service ? aService({ name: params.service, projectSlug: params.project }) : missing("service"),
    ),
    ...on(createService, ({ body }) => {
      made.service = true;
      return aService({ name: body.name, type: body.type });
    }),
    ...on(uploadSource, (_, { bytes }) => {
      sources.push(createHash("sha256").update(bytes).digest("hex"));
      return { sourceId: sources.at(-1)!, sizeBytes: bytes.length };
    }),
    ...on(createDeployment, () => aDeployment({ number: 1, status: "pending" })),
    ...on(getDeployment, () => steps[Math.min(asked++, steps.length - 1)]!),
    ...on(searchLogs, () => ({ items: [] })),
    ...on(tailLogs, async function* () {
      yield* lines;
      await pause(30_000, AbortSignal.timeout(3_000));
    }),
  };
  return { handlers, made, sources };
}

const lastLine = (stdout: string) =>
  JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as Record<string, unknown>;

test("up --yes in an unlinked folder makes what is missing, links the folder and ends with the result", async () => {
  const { handlers, made } = aPlatformThatDeploys(
    [
      { status: "building" },
      { status: "deploying" },
      { status: "deployed", isActive: true, durationMs: 2_100 },
    ],
    [aLine("compiling", { stream: "build" })],
  );
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("My Shop!", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stdout } = await starform(["up", "--yes", "--json"], { cwd: folder.path, env });
  expect(code).toBe(0);
  expect(made).toEqual({ project: true, service: true });
  expect(Object.keys(lastLine(stdout))).toEqual(resultKeys);
  expect(lastLine(stdout)).toMatchObject({
    deploymentId: deploymentId(1),
    status: "deployed",
    durationMs: 2_100,
  });
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { event?: string; message?: string });
  expect(events.filter(({ event }) => event === "log").map(({ message }) => message)).toEqual(["compiling"]);
  const created = platform.calls.find(({ id }) => id === "createService");
  expect(created?.input).toMatchObject({
    params: { project: "my-shop" },
    body: { name: "my-shop", type: "web" },
  });

  const status = await starform(["up", "--detach"], { cwd: folder.path, env });
  expect(status.code).toBe(0);
  expect(status.stdout.trimEnd().split("\n").at(-1)).toBe("http://web-shop.localhost:4402");
});

test("a service is made as the folder's starform.json says, comments and all", async () => {
  const { handlers } = aPlatformThatDeploys([{ status: "deployed" }]);
  await using platform = await fakePlatform(handlers);
  const file =
    '{ "type": "cron", /* nightly */ "cron": "0 3 * * *", "project": "jobs", "service": "report" }';
  using folder = await aFolder("shop", { ...app, "starform.json": file });
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  expect((await starform(["up", "--yes", "--detach"], { cwd: folder.path, env })).code).toBe(0);
  expect(platform.calls.find(({ id }) => id === "createService")?.input).toMatchObject({
    params: { project: "jobs" },
    body: { name: "report", type: "cron", settings: { schedule: "0 3 * * *" } },
  });
});

test("a folder below a linked one is another service of the same project", async () => {
  const { handlers } = aPlatformThatDeploys([{ status: "deployed" }]);
  await using platform = await fakePlatform({
    ...handlers,
    ...on(listServices, () => ({ items: [aService({ name: "shop" })] })),
  });
  using folder = await aFolder("shop", {
    ...app,
    "api/package.json": app["package.json"],
    "api/server.js": "",
  });
  const config = join(folder.path, "..", "config");
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token, XDG_CONFIG_HOME: config };
  await starform(["up", "--yes", "--detach"], { cwd: folder.path, env });
  await starform(["up", "--yes", "--detach"], { cwd: join(folder.path, "api"), env });
  const deployed = platform.calls
    .filter(({ id }) => id === "createDeployment")
    .map(({ input }) => input.params);
  expect(deployed).toEqual([
    { project: "shop", service: "shop" },
    { project: "shop", service: "api" },
  ]);
});

const monorepo = {
  "api/package.json": app["package.json"],
  "api/server.js": "console.log('api')",
  "web/package.json": app["package.json"],
  "web/server.js": "console.log('web')",
  "web/.env.example": "API_URL=${{api.STARFORM_PRIVATE_URL}}\nSECRET=change me\n",
};

/** A platform on which nothing exists, which makes services and deploys them at once. */
function aPlatformOfServices(refused?: Fault) {
  const services: string[] = [];
  let project: string | undefined;
  const missing = (): never => {
    throw new Fault("not_found", "no such thing");
  };
  const deploymentOf = (service: string) =>
    aDeployment({ number: services.indexOf(service) + 1, service, status: "deployed" });
  const handlers: Handlers = {
    ...on(getProject, () => (project ? aProject({ slug: project }) : missing())),
    ...on(createProject, ({ body }) => aProject({ slug: (project = body.slug) })),
    ...on(listServices, () => ({ items: services.map((name) => aService({ name })) })),
    ...on(getService, ({ params }) =>
      services.includes(params.service) ? aService({ name: params.service }) : missing(),
    ),
    ...on(createService, ({ body }) => {
      services.push(body.name);
      return aService({ name: body.name, type: body.type });
    }),
    ...on(setVariables, () => {
      if (refused) throw refused;
      return {
        items: [],
        checksum: `sha256:${"c".repeat(64)}`,
        deploymentId: null,
        redeployed: [],
        notes: [],
      };
    }),
    ...on(uploadSource, (_, { bytes }) => ({ sourceId: "s1", sizeBytes: bytes.length })),
    ...on(createDeployment, ({ params }) => deploymentOf(params.service)),
    ...on(getDeployment, ({ params }) => aDeployment({ id: params.deployment, status: "deployed" })),
    ...on(searchLogs, () => ({ items: [] })),
    ...on(tailLogs, async function* () {
      yield* [];
    }),
  };
  return { handlers, services };
}

test("up in the root of a repository of several apps makes a service of each, with what it says of them, and deploys all", async () => {
  const { handlers } = aPlatformOfServices();
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", monorepo);
  const config = join(folder.path, "..", "config");
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token, XDG_CONFIG_HOME: config };
  const up = await starform(["up", "--yes", "--json"], { cwd: folder.path, env });
  expect(up).toMatchObject({ code: 0 });
  expect(up.stderr).toContain(
    "shop seems to hold 2 services:\n  api: a web, because api holds an app of its own",
  );
  const inputsOf = (id: string) => platform.calls.filter((call) => call.id === id).map(({ input }) => input);
  expect(inputsOf("createService")).toMatchObject([
    { body: { name: "api", type: "web", settings: { rootDirectory: "api", watchPaths: ["api/**"] } } },
    { body: { name: "web", type: "web", settings: { rootDirectory: "web", watchPaths: ["web/**"] } } },
  ]);
  expect(inputsOf("setVariables")).toMatchObject([
    {
      params: { project: "shop", service: "web" },
      body: { variables: { API_URL: "${{api.STARFORM_PRIVATE_URL}}" }, deploy: false },
    },
  ]);
  expect(inputsOf("createDeployment").map(({ params }) => params)).toEqual([
    { project: "shop", service: "api" },
    { project: "shop", service: "web" },
  ]);
  const results = up.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { deploymentId?: string; durationMs?: number });
  expect(results.filter((line) => "durationMs" in line)).toHaveLength(2);

  // The folder is the project's now: nothing is asked and nothing made again.
  const again = await starform(["up", "--detach"], { cwd: folder.path, env });
  expect(again.code).toBe(0);
  expect(again.stdout).toContain("starform deployments watch 2 -s web\n");
  expect(inputsOf("createService")).toHaveLength(2);
  expect(inputsOf("createDeployment")).toHaveLength(4);
  // One of them is deployed by its name.
  expect((await starform(["up", "--detach", "-s", "api"], { cwd: folder.path, env })).code).toBe(0);
  expect(inputsOf("createDeployment").slice(4)).toMatchObject([{ params: { service: "api" } }]);
});

test("up in the folder of one of them deploys that one, from the root that it is built from", async () => {
  const { handlers, services } = aPlatformOfServices();
  const sent: Uint8Array[] = [];
  const settings: Record<string, object> = {
    api: { rootDirectory: "api/" },
    web: { rootDirectory: "", watchPaths: ["web/**", "/package.json"] },
  };
  const withSettings = (name: string) =>
    aService({ name, settings: ServiceSettings.parse(settings[name] ?? {}) });
  await using platform = await fakePlatform({
    ...handlers,
    ...on(listServices, () => ({ items: services.map(withSettings) })),
    ...on(uploadSource, (_, { bytes }) => {
      sent.push(bytes);
      return { sourceId: "s1", sizeBytes: bytes.length };
    }),
  });
  using folder = await aFolder("shop", monorepo);
  const config = join(folder.path, "..", "config");
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token, XDG_CONFIG_HOME: config };
  const deployed = () =>
    platform.calls.filter(({ id }) => id === "createDeployment").map(({ input }) => input.params);
  expect((await starform(["up", "--yes", "--detach"], { cwd: folder.path, env })).code).toBe(0);
  for (const name of ["api", "web"]) {
    const up = await starform(["up", "--detach"], { cwd: join(folder.path, name), env });
    expect(up).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`${name} is the service ${name}, which is built from`) as string,
    });
    expect(deployed().at(-1)).toEqual({ project: "shop", service: name });
    // The whole repository, as from its root.
    expect(sent.at(-1)).toEqual(sent[0]);
  }
  services.push("other");
  settings["other"] = { rootDirectory: "api" };
  const several = await starform(["up", "--detach"], { cwd: join(folder.path, "api"), env });
  expect(several).toMatchObject({ code: 2, stderr: expect.stringContaining("(api, other)") as string });
  const named = await starform(["up", "--detach", "-s", "other"], { cwd: join(folder.path, "api"), env });
  expect(named.code).toBe(0);
  expect(deployed().at(-1)).toEqual({ project: "shop", service: "other" });
});

test("up in a folder of a checkout that is not linked finds the named project's service of that folder", async () => {
  const { handlers, services } = aPlatformOfServices();
  services.push("api", "backend");
  const rootOf = (name: string) => (name === "backend" ? "api" : "other");
  await using platform = await fakePlatform({
    ...handlers,
    ...on(listServices, () => ({
      items: services.map((name) =>
        aService({ name, settings: ServiceSettings.parse({ rootDirectory: rootOf(name) }) }),
      ),
    })),
  });
  using folder = await aFolder("shop", { ...monorepo, ".git/HEAD": "" });
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token, STARFORM_PROJECT: "shop" };
  const config = { XDG_CONFIG_HOME: join(folder.path, "..", "config") };
  const up = await starform(["up", "--yes", "--detach"], {
    cwd: join(folder.path, "api"),
    env: { ...env, ...config },
  });
  expect(up).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`built from ${folder.path}: that is sent`),
  });
  const deployed = platform.calls
    .filter(({ id }) => id === "createDeployment")
    .map(({ input }) => input.params);
  expect(deployed).toEqual([{ project: "shop", service: "backend" }]);
});

test("apps beyond those that are proposed are told of before the question", async () => {
  const { handlers, services } = aPlatformOfServices();
  await using platform = await fakePlatform(handlers);
  const apps = Array.from(
    { length: 41 },
    (_, at) => [`app-${at}/package.json`, app["package.json"]] as const,
  );
  using folder = await aFolder("shop", Object.fromEntries(apps));
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const no = await starform(["up"], { cwd: folder.path, env, answers: ["n"] });
  expect(no.stderr).toContain(
    "note: only the first 40 of the 41 folders and processes that may be apps were looked at",
  );
  expect(services).toEqual([]);
});

test("a folder that is an app itself is one service, whatever lies in it", async () => {
  const { handlers, services } = aPlatformOfServices();
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", { ...monorepo, ...app });
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  expect((await starform(["up", "--yes", "--detach"], { cwd: folder.path, env })).code).toBe(0);
  expect(services).toEqual(["shop"]);
});

test("several services are made only after a yes, and not for a folder that is deployed as one", async () => {
  const { handlers, services } = aPlatformOfServices();
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", monorepo);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const no = await starform(["up"], { cwd: folder.path, env, answers: ["n"] });
  expect(no).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing was done") as string });
  expect((await starform(["up"], { cwd: folder.path, env })).code).toBe(2);
  expect(services).toEqual([]);
  services.push("shop");
  await handlers["createProject"]!({ body: { slug: "shop" } } as never, {} as never);
  expect((await starform(["up", "--yes", "--detach"], { cwd: folder.path, env })).code).toBe(0);
  expect(services).toEqual(["shop"]);
});

test("a reference to what the project does not have is told, and the services are deployed all the same", async () => {
  const { handlers } = aPlatformOfServices(new Fault("invalid", "there is no service api"));
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", monorepo);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stderr } = await starform(["up", "--yes", "--detach"], { cwd: folder.path, env });
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("web: API_URL not set: there is no service api") as string,
  });
});

test("the same folder is the same source", async () => {
  const { handlers, sources } = aPlatformThatDeploys([{ status: "deployed" }]);
  await using platform = await fakePlatform(handlers);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  using one = await aFolder("shop", app);
  using two = await aFolder("shop", { "server.js": app["server.js"], "package.json": app["package.json"] });
  execFileSync("touch", ["-d", "2001-01-01", join(two.path, "server.js")]);
  for (const { path } of [one, two]) await starform(["up", "--yes", "--detach"], { cwd: path, env });
  expect(sources).toHaveLength(2);
  expect(new Set(sources).size).toBe(1);
});

test("the last line for a person is the address", async () => {
  const { handlers } = aPlatformThatDeploys([{ status: "deployed", durationMs: 900 }]);
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { stdout } = await starform(["up", "-y"], { cwd: folder.path, env });
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("http://web-shop.localhost:4402");
});

test("a failed deployment is exit 1, with its reason, and still ends with the result", async () => {
  const failed = { status: "failed" as const, reason: "the start command ended with exit code 3" };
  const { handlers } = aPlatformThatDeploys([failed]);
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const human = await starform(["up", "--yes"], { cwd: folder.path, env });
  expect(human.code).toBe(1);
  expect(human.stderr).toContain("the start command ended with exit code 3");
  const machine = await starform(["up", "--json"], { cwd: folder.path, env });
  expect(machine.code).toBe(1);
  expect(lastLine(machine.stdout)).toMatchObject({ status: "failed" });
});

test("a log stream that breaks and an API that restarts change neither the outcome nor the lines", async () => {
  const lines = [1, 2, 3, 4].map((n) =>
    aLine(`step ${n}`, { stream: "build", ts: `2026-11-29T11:59:5${n}.000Z` }),
  );
  const { handlers } = aPlatformThatDeploys([{ status: "building" }]);
  const cut = { done: false };
  await using platform = await fakePlatform({
    ...handlers,
    ...on(tailLogs, async function* ({ query }) {
      yield* lines.filter(({ ts }) => (cut.done ? ts >= query.since! : ts <= lines[1]!.ts));
      await pause(20_000);
    }),
    // The build lasts until the platform has gone away and come back.
    ...on(getDeployment, async ({ query }) => {
      if (query.seen !== undefined && !cut.done) await pause(20_000);
      return aDeployment(
        cut.done ? { status: "deployed", revision: 3 } : { status: "building", revision: 2 },
      );
    }),
  });
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const onOutput = (text: string) => {
    if (cut.done || !text.includes("step 2")) return;
    cut.done = true;
    platform.down();
    void pause(400).then(() => platform.up());
  };
  const { code, stdout } = await starform(["up", "--yes", "--json"], { cwd: folder.path, env, onOutput });
  expect(code).toBe(0);
  expect(lastLine(stdout)).toMatchObject({ status: "deployed" });
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { event?: string; message?: string });
  const messages = events.filter(({ event }) => event === "log").map(({ message }) => message);
  expect(messages.slice(0, 2)).toEqual(["step 1", "step 2"]);
  expect(new Set(messages).size).toBe(messages.length);
});

test("each new place in line is told as it comes, and when its turn does once that is known, with what the build usually takes", async () => {
  const estimate = { durationMs: 41_000, basis: "service", builds: 3 } as const;
  const waiting = (position: number, beginsInMs: number | null = null) =>
    aDeployment({
      status: "pending",
      revision: 2,
      estimate,
      inLine: { position, of: 2, waitsFor: "turn", atOnceMax: 2, beginsInMs },
    });
  const answers = [
    waiting(2),
    waiting(2, 70_000),
    waiting(2, 40_000),
    waiting(1, 9_000),
    aDeployment({ status: "deployed", revision: 3 }),
  ];
  const { handlers } = aPlatformThatDeploys([{ status: "pending" }]);
  await using platform = await fakePlatform({
    ...handlers,
    ...on(getDeployment, () => answers.shift()!),
  });
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stdout } = await starform(["up", "--yes", "--json"], { cwd: folder.path, env });
  expect(code).toBe(0);
  const told = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Partial<Pick<Deployment, "inLine" | "estimate">>)
    .flatMap(({ inLine, estimate: usual }) => (inLine ? [{ ...inLine, estimate: usual }] : []));
  expect(told.map(({ position, beginsInMs }) => [position, beginsInMs])).toEqual([
    [2, null],
    [2, 70_000],
    [1, 9_000],
  ]);
  expect(told[0]).toMatchObject({ estimate });
});

test("interrupted it is exit 130 and says that the deployment goes on", async () => {
  const { handlers } = aPlatformThatDeploys([{ status: "building" }]);
  const interrupt = new AbortController();
  await using platform = await fakePlatform({
    ...handlers,
    ...on(getDeployment, async ({ query }) => {
      if (query.seen !== undefined) interruptWith(interrupt);
      await pause(query.seen === undefined ? 0 : 2_000);
      return aDeployment({ status: "building", revision: 2 });
    }),
  });
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stdout, stderr } = await starform(["up", "--yes", "--json"], {
    cwd: folder.path,
    env,
    interrupt,
  });
  expect(code).toBe(130);
  expect(stderr).toContain("goes on");
  expect(lastLine(stdout)).toMatchObject({ status: "building" });
});

test("an unlinked folder without --yes and without a terminal is exit 2 and makes nothing", async () => {
  const { handlers, made } = aPlatformThatDeploys([{ status: "deployed" }]);
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stderr } = await starform(["up"], { cwd: folder.path, env });
  expect(code).toBe(2);
  expect(stderr).toMatch(/--yes/);
  expect(made).toEqual({ project: false, service: false });
});

test("the first up of a service takes its environment by id as well", async () => {
  const { handlers, made } = aPlatformThatDeploys([{ status: "deployed" }]);
  made.project = true;
  const staging = {
    id: ids.build,
    projectId: ids.project,
    name: "staging",
    isProtected: false,
    isEphemeral: false,
    createdAt: "2026-11-29T11:00:00Z",
  };
  await using platform = await fakePlatform({
    ...handlers,
    ...on(listEnvironments, () => ({ items: [staging] })),
  });
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const ran = await starform(["up", "--yes", "-e", staging.id], { cwd: folder.path, env });
  expect(ran).toMatchObject({ code: 0 });
  expect(made.service).toBe(true);
});

test("an environment that does not exist is told, and nothing is made for it", async () => {
  const { handlers, made } = aPlatformThatDeploys([{ status: "deployed" }]);
  made.project = true;
  const production = {
    id: ids.build,
    projectId: ids.project,
    name: "production",
    isProtected: false,
    isEphemeral: false,
    createdAt: "2026-11-29T11:00:00Z",
  };
  await using platform = await fakePlatform({
    ...handlers,
    ...on(listEnvironments, () => ({ items: [production] })),
  });
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stderr } = await starform(["up", "--yes", "-e", "prodction"], { cwd: folder.path, env });
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("did you mean production?") as string,
  });
  expect(made.service).toBe(false);
});

test("a wrong token is one sentence and exit 1", async () => {
  await using platform = await fakePlatform({});
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: "sf_wrong" };
  const { code, stderr } = await starform(["up", "--yes"], { cwd: folder.path, env });
  expect(code).toBe(1);
  expect(stderr).toContain("wrong or has expired");
  expect(stderr).not.toContain("sf_wrong");
});

const bad: [name: string, words: RegExp, prepare: (path: string) => unknown][] = [
  [
    "an empty folder",
    /is empty/,
    (path) => execFileSync("rm", ["-rf", join(path, "package.json"), join(path, "server.js")]),
  ],
  ["a named pipe", /"pipe" is a named pipe/, (path) => execFileSync("mkfifo", [join(path, "pipe")])],
  [
    "a socket",
    /"sock" is a socket/,
    (path) => new Promise<void>((resolve) => createServer().unref().listen(join(path, "sock"), resolve)),
  ],
  [
    "a loop of links",
    /"a" is a link that leads back/,
    (path) => (
      symlinkSync("b", join(path, "a")),
      symlinkSync("a", join(path, "b")),
      writeFileSync(join(path, ".starformignore"), "/b\n")
    ),
  ],
  [
    "a link to the folder around it",
    /"again" is a link that leads back/,
    (path) => symlinkSync(".", join(path, "again")),
  ],
  [
    "a link that leads out",
    /outside of the folder/,
    (path) => symlinkSync("/etc/passwd", join(path, "users")),
  ],
  ["a name with a line break", /"a\\nb" has a line break/, (path) => writeFileSync(join(path, "a\nb"), "")],
  [
    "2 GB",
    /2\.0 GB\s+data\.bin/,
    (path) => (
      writeFileSync(join(path, "data.bin"), ""),
      truncateSync(join(path, "data.bin"), 2_000_000_000)
    ),
  ],
  [
    "a folder without a known app",
    /package\.json/,
    (path) => (
      execFileSync("rm", [join(path, "package.json"), join(path, "server.js")]),
      writeFileSync(join(path, "notes.txt"), "x")
    ),
  ],
  [
    "a starform.json with an unknown key",
    /startCommand/,
    (path) => writeFileSync(join(path, "starform.json"), '{"startComand":"x"}'),
  ],
];
test.each(bad)("up refuses %s in one sentence and makes nothing", async (_, words, prepare) => {
  const { handlers, made, sources } = aPlatformThatDeploys([{ status: "deployed" }]);
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", app);
  await prepare(folder.path);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stderr } = await starform(["up", "--yes"], { cwd: folder.path, env });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(words) as string });
  expect(stderr).not.toContain("unforeseen");
  expect(stderr).toSatisfy(hasWayOut);
  expect({ ...made, sources }).toEqual({ project: false, service: false, sources: [] });
});

test("a folder too large to be sent is refused before anything is made or linked, packed, unpacked or in number", async () => {
  const { handlers, made, sources } = aPlatformThatDeploys([{ status: "deployed" }]);
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", { ...app, "img/a.jpg": randomBytes(60_000), "b.txt": "b" });
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const up = (limits: Partial<SourceLimits>) =>
    starform(["up", "--yes"], { cwd: folder.path, env, sourceLimits: { ...sourceLimits, ...limits } });
  const links = join(folder.path, "../home/.config/starform/links.json");
  const refused = [
    [{ packedBytesMax: 2 ** 15 }, /larger than 0\.03125 MiB even packed.*\.starformignore/],
    [{ bytesMax: 50_000 }, /holds 60\.1 kB, and a source may hold 50\.0 kB.*\.starformignore/],
    [{ entriesMax: 4 }, /holds 5 files and folders, and a source may hold 4.*\.starformignore/],
  ] as const;
  for (const [limits, words] of refused) {
    const { code, stderr } = await up(limits);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(words) as string });
    expect(stderr).toMatch(/\n +60\.0 kB +img\/a\.jpg\n/);
  }
  expect({ ...made, sources }).toEqual({ project: false, service: false, sources: [] });
  made.project = made.service = true;
  expect((await up({ packedBytesMax: 2 ** 15 })).code).toBe(1);
  expect(existsSync(links)).toBe(false);
  expect((await up({ packedBytesMax: 2 ** 17 })).code).toBe(0);
  expect(existsSync(links)).toBe(true);
});

test("a full disk of the platform is told at once, and the folder is not sent again and again", async () => {
  const { handlers, made } = aPlatformThatDeploys([{ status: "deployed" }]);
  made.project = made.service = true;
  const full = on(uploadSource, () => {
    throw new Fault("disk_full", "the disk of this platform is full: free some space, then try again");
  });
  await using platform = await fakePlatform({ ...handlers, ...full });
  using folder = await aFolder("shop", app);
  const env = { STARFORM_URL: platform.url, STARFORM_TOKEN: platform.token };
  const { code, stderr } = await starform(["up", "--yes"], { cwd: folder.path, env });
  expect(code).toBe(1);
  expect(stderr).toContain("the disk of this platform is full: free some space, then try again");
  expect(platform.calls.filter(({ id }) => id === "uploadSource")).toHaveLength(1);
});
