import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createToken, deleteToken, listTokens } from "@starform/contract/identity";
import {
  cancelDeployment,
  createDeployment,
  diffDeployments,
  getDeployment,
  listDeployments,
  rollBackDeployment,
} from "@starform/contract/deployments";
import { getBuild, getProvenance, getSbom, type Build } from "@starform/contract/builds";
import { starformSchemaPath } from "@starform/contract/hosts";
import { searchLogs, tailLogs, type LogEntry } from "@starform/contract/logs";
import {
  createEnvironment,
  createProject,
  deleteEnvironment,
  deleteProject,
  getProject,
  listEnvironments,
  listProjects,
  updateEnvironment,
} from "@starform/contract/projects";
import {
  createService,
  deleteService,
  getService,
  listCronRuns,
  listServices,
  restartService,
  updateService,
} from "@starform/contract/services";
import {
  attachVarGroup,
  createVarGroup,
  deleteVarGroup,
  listVarGroups,
  listVariables,
  revealVariable,
  setVarGroup,
  setVariables,
  type VarGroup,
} from "@starform/contract/variables";
import { Fault } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import { expect, test } from "vitest";
import { fakePlatform, on, type Handlers } from "./fake-platform.ts";
import { aFolder, interruptWith, starform, type RunOptions } from "./run-starform.ts";
import { aDeployment, aLine, aProject, aService, deploymentId, ids } from "./sample-answers.ts";

const digest = `sha256:${"b".repeat(64)}`;
const at = "2026-11-29T11:00:00.000Z";
const variables = {
  items: [
    {
      name: "GREETING",
      isSecret: false,
      value: "hello",
      resolved: "hello",
      digest,
      group: null,
      updatedAt: at,
    },
    { name: "API_KEY", isSecret: true, value: null, resolved: null, digest, group: null, updatedAt: at },
  ],
  checksum: digest,
};
const aGroup: VarGroup = {
  id: ids.build,
  projectId: ids.project,
  name: "shared",
  entries: [],
  attachedTo: [{ service: "web", environment: "production", attachOrder: 0 }],
  checksum: digest,
  createdAt: at,
};
const anEnvironment = {
  id: ids.build,
  projectId: ids.project,
  name: "staging",
  isProtected: false,
  isEphemeral: false,
  createdAt: at,
};
const aToken = {
  id: ids.build,
  name: "ci",
  workspaceId: ids.workspace,
  projectId: null,
  scope: "write" as const,
  prefix: "sf_abcd",
  createdAt: at,
  expiresAt: null,
  lastUsedAt: null,
};
// Newest first: #4 is live and went back to #1, #3 was live before it.
const deployments = [
  aDeployment({ number: 4, isActive: true, rollbackOf: deploymentId(1) }),
  aDeployment({ number: 3 }),
  aDeployment({ number: 2, status: "failed", reason: "exit code 1" }),
  aDeployment({ number: 1 }),
];

const aBuild = (id: string): Build => ({
  id,
  projectId: ids.project,
  serviceId: ids.service,
  createdAt: at,
  startedAt: at,
  endedAt: at,
  image: "starform.local/shop/web",
  imageDigest: `sha256:${"a".repeat(64)}`,
  info: {},
  report: {
    stages: [],
    steps: [
      { name: "copy package.json", outcome: "cached" },
      { name: "npm ci", outcome: "done", durationMs: 4_100 },
    ],
    sentBytes: 2 * 2 ** 20,
    imageBytes: 24 * 2 ** 20,
  },
  documents: [],
});
const queued = aDeployment({
  number: 6,
  status: "pending",
  inLine: { position: 2, of: 4, waitsFor: "turn", atOnceMax: 2, beginsInMs: 65_000 },
  estimate: { durationMs: 41_000, basis: "service", builds: 9 },
});

const redeployed = [
  { deploymentId: deploymentId(5), service: "web", environment: "production" },
  { deploymentId: deploymentId(6), service: "api", environment: "staging" },
];

const world: Handlers = {
  ...on(listProjects, () => ({ items: [aProject()] })),
  ...on(getProject, ({ params }) => {
    if (!["shop", ids.project].includes(params.project))
      throw new Fault("not_found", `no such project: ${params.project}`);
    return aProject();
  }),
  ...on(createProject, ({ body }) => aProject({ slug: body.slug })),
  ...on(deleteProject, () => undefined),
  ...on(listServices, () => ({ items: [aService()] })),
  ...on(getService, ({ params }) => {
    if (!["web", ids.service].includes(params.service))
      throw new Fault("not_found", `no such service: ${params.service}`);
    return aService();
  }),
  ...on(createService, ({ body }) =>
    aService({ name: body.name, type: body.type, ...(body.source ? { source: body.source } : {}) }),
  ),
  ...on(updateService, ({ params, body }) => ({
    ...aService({
      name: params.service,
      settings: {
        ...aService().settings,
        replicas: body.settings?.replicas ?? 1,
        tier: body.settings?.tier ?? "mininova",
      },
    }),
    redeployed: [{ deploymentId: deploymentId(5), service: "web", environment: "production" }],
  })),
  ...on(deleteService, () => undefined),
  ...on(restartService, () => aService()),
  ...on(listCronRuns, () => ({
    items: [
      {
        id: "1",
        scheduledFor: at,
        startedAt: at,
        endedAt: "2026-11-29T11:00:03.000Z",
        outcome: "succeeded" as const,
        reason: null,
      },
      {
        id: "2",
        scheduledFor: at,
        startedAt: at,
        endedAt: null,
        outcome: "unknown" as const,
        reason: "nobody looked when it ended",
      },
    ],
  })),
  ...on(listVariables, () => variables),
  ...on(setVariables, () => ({ ...variables, deploymentId: deploymentId(5), redeployed, notes: [] })),
  ...on(revealVariable, ({ params }) => ({ name: params.name, value: "s3cret" })),
  ...on(listVarGroups, () => ({ items: [aGroup] })),
  ...on(createVarGroup, () => ({ ...aGroup, notes: [] })),
  ...on(setVarGroup, () => ({ ...aGroup, redeployed, notes: [] })),
  ...on(attachVarGroup, () => ({ ...aGroup, redeployed: [] })),
  ...on(deleteVarGroup, () => undefined),
  ...on(listEnvironments, () => ({ items: [anEnvironment] })),
  ...on(createEnvironment, ({ body }) => ({ ...anEnvironment, name: body.name })),
  ...on(updateEnvironment, ({ body }) => ({ ...anEnvironment, isProtected: body.isProtected })),
  ...on(deleteEnvironment, () => undefined),
  ...on(listTokens, () => ({ items: [aToken] })),
  ...on(createToken, () => ({ ...aToken, secret: "sf_abcd_secret" })),
  ...on(deleteToken, () => undefined),
  ...on(listDeployments, () => ({ items: deployments })),
  ...on(createDeployment, () => aDeployment({ number: 5 })),
  ...on(
    getDeployment,
    ({ params }) =>
      [...deployments, queued].find(({ id }) => id === params.deployment) ?? aDeployment({ number: 5 }),
  ),
  ...on(getBuild, ({ params }) => aBuild(params.build)),
  ...on(getSbom, () => ({ bomFormat: "CycloneDX", components: [] })),
  ...on(getProvenance, () => ({ _type: "https://in-toto.io/Statement/v1" })),
  ...on(rollBackDeployment, ({ params }) =>
    aDeployment({ number: 5, trigger: "rollback", rollbackOf: params.deployment }),
  ),
  ...on(cancelDeployment, () => aDeployment({ number: 5, status: "cancelled" })),
  ...on(diffDeployments, ({ params }) => ({
    from: params.deployment,
    to: params.other,
    changes: [{ path: "variables.GREETING", kind: "changed" as const, before: "hello", after: "bye" }],
  })),
  ...on(searchLogs, () => ({ items: [aLine("listening")] })),
  ...on(tailLogs, async function* () {
    yield aLine("listening");
  }),
};

async function inTheWorld(words: string[], options: Partial<RunOptions> = {}, handlers = world) {
  await using platform = await fakePlatform(handlers);
  using folder = await aFolder("shop", { ".env": "A=1\nexport B=\"two\\nlines\" # note\nC='$x'\n" });
  const env = {
    STARFORM_URL: platform.url,
    STARFORM_TOKEN: platform.token,
    STARFORM_PROJECT: "shop",
    TZ: "UTC",
  };
  const ran = await starform(words, { cwd: folder.path, ...options, env: { ...env, ...options.env } });
  expect(ran.stdout + ran.stderr).not.toContain(platform.token);
  return {
    ...ran,
    calls: platform.calls,
    called: (id: string) => platform.calls.find((call) => call.id === id)?.input,
  };
}

const table: [words: string, route: string, input: object, words: RegExp][] = [
  [
    "status",
    "listServices",
    { query: { environment: "production" } },
    /web\s+web\s+running\s+1\/1\s+deployed\s+http:\/\/web-shop/,
  ],
  [
    "open",
    "getService",
    { params: { project: "shop", service: "web" } },
    /^http:\/\/web-shop\.localhost:4402\n$/,
  ],
  ["deployments", "listDeployments", { query: { limit: 20 } }, /#4\s+● live[\s\S]*#2\s+failed.*exit code 1/],
  [
    "deployments show 3",
    "listDeployments",
    {},
    /web #3 in production[\s\S]*1 of 2 steps from the cache, 2\.1 MB sent, image 25\.2 MB[\s\S]*npm ci +done +4\.1 s/,
  ],
  [
    `deployments show ${queued.id}`,
    "getDeployment",
    {},
    /web #6 in production: pending[\s\S]*2 of 4 in line; begins in about 1 min; usually built in about 40 s/,
  ],
  [
    "builds sbom 3",
    "getSbom",
    { params: { build: ids.build } },
    /^\{"bomFormat":"CycloneDX","components":\[\]\}\n$/,
  ],
  [`builds provenance ${queued.id}`, "getProvenance", { params: { build: ids.build } }, /^\{"_type":"https:/],
  ["deployments watch 3", "getDeployment", {}, /is live/],
  [
    "redeploy --ref main -e staging",
    "createDeployment",
    { query: { environment: "staging" }, body: { ref: "main" } },
    /is live/,
  ],
  ["rollback", "rollBackDeployment", { params: { deployment: deploymentId(3) } }, /is live/],
  ["rollback 1 --detach", "rollBackDeployment", { params: { deployment: deploymentId(1) } }, /has begun/],
  [
    `cancel ${deploymentId(5)}`,
    "cancelDeployment",
    { params: { deployment: deploymentId(5) } },
    /#5 is cancelled/,
  ],
  [
    "diff 1 3",
    "diffDeployments",
    { params: { deployment: deploymentId(1), other: deploymentId(3) } },
    /GREETING\n {2}- hello\n {2}\+ bye/,
  ],
  ["restart web", "restartService", { params: { service: "web" } }, /restarted/],
  [
    "scale web=3 --tier nova",
    "updateService",
    { params: { service: "web" }, body: { settings: { replicas: 3, tier: "nova" } } },
    /web: 3 × nova/,
  ],
  ["scale 2", "updateService", { body: { settings: { replicas: 2 } } }, /web: 2/],
  ["variables", "listVariables", {}, /GREETING\s+hello[\s\S]*API_KEY\s+\(secret\)/],
  [
    "vars set A=b=c D= --skip-deploy",
    "setVariables",
    { body: { variables: { A: "b=c", D: "" }, deploy: false } },
    /set A, D of web/,
  ],
  [
    "variables set --from-file .env",
    "setVariables",
    { body: { variables: { A: "1", B: "two\nlines", C: "$x" }, deploy: true } },
    /deployment has begun with them; [^\n]*\napi is re-deployed in staging; watch it/,
  ],
  [
    "variables delete GREETING",
    "setVariables",
    { body: { variables: { GREETING: null } } },
    /deleted GREETING/,
  ],
  ["variables reveal API_KEY", "revealVariable", { params: { name: "API_KEY" } }, /^s3cret\n$/],
  ["var-groups", "listVarGroups", { params: { project: "shop" } }, /shared\s+-\s+web \(production\)/],
  [
    "var-groups create shared A=1",
    "createVarGroup",
    { body: { name: "shared", variables: { A: "1" } } },
    /made shared/,
  ],
  [
    "var-groups set shared A=2",
    "setVarGroup",
    { params: { group: "shared" }, body: { variables: { A: "2" } } },
    /set A in shared\nweb is re-deployed in production[^\n]*\napi is re-deployed in staging/,
  ],
  [
    "var-groups attach shared --order 3",
    "attachVarGroup",
    { params: { service: "web", group: "shared" }, body: { attachOrder: 3 } },
    /has shared/,
  ],
  ["var-groups delete shared -y", "deleteVarGroup", { params: { group: "shared" } }, /deleted shared/],
  ["services", "listServices", {}, /web\s+web\s+push or up\s+mininova\s+1/],
  [
    "services create api --image nginx:1 --replicas 2",
    "createService",
    { body: { name: "api", source: { kind: "image", image: "nginx:1" }, settings: { replicas: 2 } } },
    /made the web api/,
  ],
  [
    "services create api --git https://git.example/app.git --watch apps/api/**",
    "createService",
    { body: { source: { kind: "git", url: "https://git.example/app.git" } } },
    /made the web api[^\n]*\nits watch paths have no effect: api is not built from pushes to Starform/,
  ],
  [
    "services create nightly --schedule 0_3_*_*_*",
    "createService",
    { body: { type: "cron" } },
    /made the cron nightly/,
  ],
  [
    "services update --watch apps/web/**,!*.md",
    "updateService",
    { body: { settings: { watchPaths: ["apps/web/**", "!*.md"] } } },
    /web/,
  ],
  [
    "services update --start x --health /ok",
    "updateService",
    { body: { settings: { startCommand: "x", healthCheck: { path: "/ok" } } } },
    /changed web[^\n]*\nweb is re-deployed in production/,
  ],
  ["services delete web -y", "deleteService", { params: { service: ids.service } }, /deleted web/],
  ["environments", "listEnvironments", {}, /staging\s+no/],
  [
    "environments new staging --from production",
    "createEnvironment",
    { body: { name: "staging", from: "production" } },
    /made staging/,
  ],
  [
    "environments protect staging",
    "updateEnvironment",
    { params: { environment: "staging" }, body: { isProtected: true } },
    /is protected/,
  ],
  [
    "environments delete staging -y",
    "deleteEnvironment",
    { params: { environment: "staging" } },
    /deleted staging/,
  ],
  ["projects", "listProjects", {}, /shop \*\s+acme\s+admin/],
  ["projects create blog", "createProject", { body: { slug: "blog" } }, /made blog/],
  ["projects delete shop --yes", "deleteProject", { query: { confirm: "shop" } }, /deleted shop/],
  ["tokens", "listTokens", {}, /ci\s+sf_abcd\s+write/],
  [
    "tokens create ci --read-only --days 30",
    "createToken",
    { body: { name: "ci", scope: "read", expiresInDays: 30 } },
    /^sf_abcd_secret\n$/,
  ],
  ["tokens delete ci", "deleteToken", { params: { token: ids.build } }, /revoked ci/],
  [
    "cron runs",
    "listCronRuns",
    { params: { service: "web" } },
    /1 h ago\s+succeeded\s+3\.0 s\s+1 h ago\s+unknown\s+-\s+nobody looked when it ended/,
  ],
  [
    "logs -n 5 --since 10m --filter list --level info,error",
    "searchLogs",
    {
      query: {
        limit: 5,
        since: "2026-11-29T11:50:00.000Z",
        filter: "list",
        level: ["info", "error"],
        stream: ["stdout", "stderr", "system"],
      },
    },
    /info {2}listening/,
  ],
  [
    "logs --build",
    "searchLogs",
    { query: { stream: ["build"], deployment: deploymentId(1) } },
    /^listening\n$/,
  ],
  [
    "-e staging logs --http",
    "searchLogs",
    { query: { environment: "staging", stream: ["http"] } },
    /listening/,
  ],
];
/** A blank within a word is written `_`. */
const wordsOf = (words: string): string[] =>
  words.split(" ").map((word) => word.replaceAll("_*", " *").replace("0_3", "0 3"));

test.each(table)("starform %s", async (words, route, input, expected) => {
  const { code, stdout, stderr, called } = await inTheWorld(wordsOf(words));
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(called(route)).toMatchObject(input);
  expect(stdout).toMatch(expected);
});

test.each(table.map(([words]) => words))("starform %s --json is JSON and nothing else", async (words) => {
  const { code, stdout, stderr } = await inTheWorld([...wordsOf(words), "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(jsonOf(stdout).length).toBeGreaterThan(0);
});

/** One value over many lines, or one on each. */
function jsonOf(stdout: string): unknown[] {
  try {
    return [JSON.parse(stdout)];
  } catch {
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  }
}

test.each([
  { where: "on a terminal", options: { isTerminal: true }, isColoured: true },
  { where: "in a pipe", options: {}, isColoured: false },
  {
    where: "on a terminal with NO_COLOR",
    options: { isTerminal: true, env: { NO_COLOR: "1" } },
    isColoured: false,
  },
  { where: "in a pipe with FORCE_COLOR", options: { env: { FORCE_COLOR: "1" } }, isColoured: true },
  { where: "on a terminal with --json", options: { isTerminal: true }, more: ["--json"], isColoured: false },
])("colours $where: $isColoured", async ({ options, more = [], isColoured }) => {
  const { stdout } = await inTheWorld(["status", ...more], options);
  expect(stdout).toContain("running");
  expect(stdout.includes("\u001b[32mrunning")).toBe(isColoured);
  expect(stdout.includes("\u001b")).toBe(isColoured);
});

test("status of a service that does not exist names the nearest and fails", async () => {
  expect(await inTheWorld(["status", "-s", "wbe"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("did you mean web?") as string,
  });
  const { code, stdout } = await inTheWorld(["status", "-s", ids.service, "--json"]);
  expect({ code, services: (JSON.parse(stdout) as { services: unknown[] }).services.length }).toEqual({
    code: 0,
    services: 1,
  });
});

test("a secret piped in never comes back", async () => {
  const { code, stdout, stderr, called } = await inTheWorld(
    ["variables", "set", "API_KEY", "--stdin", "--secret"],
    { input: "t0p\n" },
  );
  expect(code).toBe(0);
  expect(called("setVariables")?.body).toMatchObject({
    variables: { API_KEY: { value: "t0p", isSecret: true } },
  });
  expect(stdout + stderr).not.toContain("t0p");
});

test.each([
  ["a megabyte", "hush-".repeat(2 ** 18), /"API_KEY": .*65,536/],
  ["a NUL", "hush-\0-hush", /"API_KEY": .*NUL/],
])("a secret of %s is refused before it is sent, without its value", async (_, input, words) => {
  const { code, stdout, stderr, called } = await inTheWorld(
    ["variables", "set", "API_KEY", "--stdin", "--secret"],
    { input },
  );
  expect({ code, sent: called("setVariables") }).toEqual({ code: 2, sent: undefined });
  expect(stderr).toMatch(words);
  expect(stdout + stderr).not.toContain("hush");
});

test("a variable that cannot be is told by its name, without its value", async () => {
  const { code, stderr } = await inTheWorld(["variables", "set", "1BAD=x"]);
  expect(code).toBe(2);
  expect(stderr).toContain("letters, digits and underscores");
});

test("a service that does not exist is told with the nearest that does", async () => {
  const { code, stderr } = await inTheWorld(["open", "-s", "wed"]);
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("did you mean web?") as string,
  });
});

test("what would delete asks first, and without a terminal wants --yes", async () => {
  const silent = await inTheWorld(["services", "delete", "web"]);
  expect(silent).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") as string });
  const no = await inTheWorld(["projects", "delete", "shop"], { answers: ["shopp"] });
  expect(no).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing was deleted") as string });
  expect(
    [silent, no].flatMap(({ calls }) => calls.map(({ id }) => id)).filter((id) => id.startsWith("delete")),
  ).toEqual([]);
});

test("link remembers the folder outside of it, folders below find it, unlink forgets", async () => {
  await using platform = await fakePlatform(world);
  using folder = await aFolder("shop", { "sub/x": "" });
  const env = {
    STARFORM_URL: platform.url,
    STARFORM_TOKEN: platform.token,
    XDG_CONFIG_HOME: join(folder.path, "..", "config"),
  };
  expect((await starform(["link", "shop", "-e", "staging"], { cwd: folder.path, env })).code).toBe(0);
  const below = await starform(["open"], { cwd: join(folder.path, "sub"), env });
  expect(below.stdout).toBe("http://web-shop.localhost:4402\n");
  expect(platform.calls.at(-1)?.input).toMatchObject({
    params: { project: "shop", service: "web" },
    query: { environment: "staging" },
  });
  expect(await starform(["link", "shpo"], { cwd: folder.path, env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("did you mean shop?") as string,
  });
  expect((await starform(["unlink"], { cwd: folder.path, env })).code).toBe(0);
  expect(await starform(["open"], { cwd: folder.path, env })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("starform link") as string,
  });
});

test("logs -f goes on after the stream breaks, without a line twice or missing", async () => {
  // Two lines share each instant, so the break falls between lines that only their text tells apart.
  const line = (n: number): LogEntry => aLine(`line ${n}`, { ts: `2026-11-29T11:59:0${n >> 1}.000Z` });
  const interrupt = new AbortController();
  const seen = Promise.withResolvers<void>();
  let opened = 0;
  const tail = on(tailLogs, async function* ({ query }, { response }) {
    const isFirst = opened++ === 0;
    const all = [0, 1, 2, 3, 4, 5].map(line);
    yield* isFirst ? all.slice(0, 3) : all.filter(({ ts }) => ts >= query.since!);
    if (!isFirst) return void (await pause(5_000, interrupt.signal));
    await seen.promise;
    response.destroy();
  });
  const onOutput = (text: string) => {
    if (text.includes("line 2")) seen.resolve();
    if (text.includes("line 5")) interruptWith(interrupt);
  };
  const { code, stdout, stderr } = await inTheWorld(
    ["logs", "-f", "--json"],
    { interrupt, onOutput },
    { ...world, ...tail },
  );
  expect({ code, stderr }).toMatchObject({
    code: 130,
    stderr: expect.stringContaining("trying again") as string,
  });
  const messages = stdout
    .trimEnd()
    .split("\n")
    .map((text) => (JSON.parse(text) as LogEntry).message);
  expect(messages).toEqual([0, 1, 2, 3, 4, 5].map((n) => `line ${n}`));
});

test("logs -f --since shows every line of the span and then what comes, none twice", async () => {
  const line = (n: number): LogEntry =>
    aLine(`line ${n}`, { ts: new Date(Date.parse("2026-11-29T11:55:00Z") + n * 100).toISOString() });
  const all = Array.from({ length: 300 }, (_, n) => line(n));
  const interrupt = new AbortController();
  const handlers = {
    ...world,
    // Two pages, the newest first, as the API gives them.
    ...on(searchLogs, ({ query }) =>
      query.cursor ? { items: all.slice(0, 100) } : { items: all.slice(100), nextCursor: "older" },
    ),
    ...on(tailLogs, async function* ({ query }) {
      yield* [...all, line(300)].filter(({ ts }) => ts >= query.since!);
      await pause(5_000, interrupt.signal);
    }),
  };
  const onOutput = (text: string) => void (text.includes("line 300") && interruptWith(interrupt));
  const words = ["logs", "-f", "--since", "10m", "--json"];
  const { code, stdout, called } = await inTheWorld(words, { interrupt, onOutput }, handlers);
  expect(code).toBe(130);
  expect(called("searchLogs")).toMatchObject({ query: { since: "2026-11-29T11:50:00.000Z" } });
  expect(jsonOf(stdout).map((entry) => (entry as LogEntry).message)).toEqual(
    Array.from({ length: 301 }, (_, n) => `line ${n}`),
  );
});

test("logs --since shows every line in its order, also of more pages than are held", async () => {
  const perPage = 5_000;
  const pages = 23;
  const message = (page: number, n: number) => `line ${(pages - 1 - page) * perPage + n}`;
  const handlers = {
    ...world,
    // The newest page first, as the API gives them.
    ...on(searchLogs, ({ query: { cursor = "0" } }) => ({
      items: Array.from({ length: perPage }, (_, n) => aLine(message(Number(cursor), n))),
      ...(Number(cursor) < pages - 1 && { nextCursor: String(Number(cursor) + 1) }),
    })),
  };
  const { code, stdout } = await inTheWorld(["logs", "--since", "7d", "--json"], {}, handlers);
  expect(code).toBe(0);
  const shown = jsonOf(stdout).map((entry) => (entry as LogEntry).message);
  expect(shown.length).toBe(pages * perPage);
  expect(shown.findIndex((words, n) => words !== `line ${n}`)).toBe(-1);
});

test("a line that would move the terminal's cursor goes to a pipe as it was written", async () => {
  const handlers = { ...world, ...on(searchLogs, () => ({ items: [aLine("\u001b[2Jhi")] })) };
  const { stdout } = await inTheWorld(["logs"], {}, handlers);
  expect(stdout).toContain("\u001b[2Jhi");
});

test.each([
  {
    what: "moves the cursor, or sets a title",
    said: "\u001b[2J\u001b]0;title\u0007\u001b[31mhi",
    safe: "\u001b[31mhi",
  },
  { what: "fills the clipboard", said: "\u001b]52;c;aGk=\u0007h\u001b]52;c;aGk=\u001b\\i", safe: "hi" },
  { what: "is put together by what is taken out", said: "\u001b\u001b[2J[2Jhi", safe: "[2Jhi" },
  { what: "resets the terminal", said: "\u001bchi", safe: "chi" },
  { what: "comes as one character", said: "\u009b2Jhi", safe: "2Jhi" },
])("an app says nothing to a terminal that $what", async ({ said, safe }) => {
  const failed = aDeployment({ number: 2, status: "failed", reason: `exit code 1\n    ${said}` });
  const service = {
    ...aService(),
    health: { ...aService().health, reason: "exit", lastLines: [said, "more"] },
  };
  const handlers = {
    ...world,
    ...on(searchLogs, () => ({ items: [aLine(said)] })),
    ...on(getDeployment, () => failed),
    ...on(listServices, () => ({ items: [service] })),
  };
  for (const words of [["logs"], ["deployments", "show", failed.id], ["status"]]) {
    const { stdout } = await inTheWorld(words, { isTerminal: true }, handlers);
    // oxlint-disable-next-line no-control-regex
    const plain = stdout.replaceAll(/\u001b\[[0-9]+m|\n/g, "");
    expect([...plain].filter((one) => one < " " || (one >= "\u007f" && one <= "\u009f"))).toEqual([]);
    expect(stdout).toContain(words[0] === "logs" ? safe : `    ${safe}`);
    expect((await inTheWorld(words, {}, handlers)).stdout).toContain(said);
  }
});

test("what the platform notes about set variables is told", async () => {
  const notes = ["PIN is shorter than 6 characters: it is not hidden in build logs"];
  const noting = {
    ...world,
    ...on(setVariables, () => ({ ...variables, deploymentId: null, redeployed: [], notes })),
    ...on(createVarGroup, () => ({ ...aGroup, notes })),
    ...on(setVarGroup, () => ({ ...aGroup, redeployed, notes })),
  };
  for (const words of ["variables set", "var-groups set shared", "var-groups create shared"])
    expect((await inTheWorld([...words.split(" "), "PIN=12345", "--secret"], {}, noting)).stdout).toContain(
      `\n${notes[0]}\n`,
    );
});

test("a plan of a folder that is not there names it once", async () => {
  const { code, stderr } = await inTheWorld(["plan", "/nonexistent"]);
  expect(code).toBe(1);
  expect(stderr.match(/nonexistent/g)).toHaveLength(1);
  expect(stderr).toMatch(/\/nonexistent: this is not a folder\n {2}Check the path/);
});

test("plan, eject and init work without a platform and without a sign-in", async () => {
  using folder = await aFolder("app", {
    "package.json": '{"scripts":{"start":"node server.js"}}',
    "package-lock.json": '{"lockfileVersion":3,"packages":{"":{}}}',
    "server.js": "",
  });
  const planned = await starform(["plan", ".", "--json"], { cwd: folder.path });
  expect(JSON.parse(planned.stdout)).toMatchObject({ steps: expect.any(Array) as unknown[] });
  expect(
    JSON.parse((await starform(["plan", "--info", "--json"], { cwd: folder.path })).stdout),
  ).toMatchObject({ plan: JSON.parse(planned.stdout) as unknown, info: { providers: ["node"] } });
  expect(
    (await starform(["init", "--start", "node server.js", "--tier", "nova"], { cwd: folder.path })).code,
  ).toBe(0);
  expect(JSON.parse(readFileSync(join(folder.path, "starform.json"), "utf8"))).toMatchObject({
    startCommand: "node server.js",
    tier: "nova",
  });
  expect((await starform(["init"], { cwd: folder.path })).code).toBe(1);
  const schemaOf = async (env: Record<string, string>) => {
    await rm(join(folder.path, "starform.json"));
    await starform(["init"], { cwd: folder.path, env });
    return (JSON.parse(readFileSync(join(folder.path, "starform.json"), "utf8")) as { $schema: string })
      .$schema;
  };
  expect(await schemaOf({})).toBe(`https://starform.app${starformSchemaPath}`);
  expect(await schemaOf({ STARFORM_URL: "http://127.0.0.1:4401" })).toBe(
    `http://127.0.0.1:4401${starformSchemaPath}`,
  );
  expect((await starform(["eject"], { cwd: folder.path })).code).toBe(0);
  expect(readFileSync(join(folder.path, "Dockerfile"), "utf8")).toContain("FROM");
  expect(readFileSync(join(folder.path, ".dockerignore"), "utf8")).toBe(
    "**/node_modules\nDockerfile\n.dockerignore\n",
  );
  await rm(join(folder.path, "Dockerfile"));
  await writeFile(join(folder.path, ".dockerignore"), "*.log\n");
  const again = await starform(["eject", "--json"], { cwd: folder.path });
  expect(JSON.parse(again.stdout)).toMatchObject({
    missingIgnores: ["**/node_modules", "Dockerfile", ".dockerignore"],
  });
  expect(readFileSync(join(folder.path, ".dockerignore"), "utf8")).toBe("*.log\n");
  using empty = await aFolder("none", { "notes.txt": "" });
  expect(await starform(["plan", empty.path], { cwd: folder.path })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("package.json") as string,
  });
});
