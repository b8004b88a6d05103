import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proposeApart } from "@starform/build-plan/propose-apart";
import { createProposed } from "@starform/client/create-proposed";
import { createProposal, getProposal, openProposalsMax, type Proposal } from "@starform/contract/proposals";
import { getService, listServices } from "@starform/contract/services";
import { listVariables } from "@starform/contract/variables";
import { listAudit } from "@starform/contract/workspaces";
import { systemClock } from "@starform/std/clock";
import { until } from "@starform/std/retry";
import { sql } from "kysely";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { postgresStores, postgresTransact } from "../src/adapters/postgres/stores.ts";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import { folderWorkDirs } from "../src/adapters/sources/work-dirs.ts";
import { platformDiskIsFull } from "../src/core/full-disk.ts";
import { runProposal, type RunProposalDeps } from "../src/core/proposals/run-proposal.ts";
import { sweepProposals } from "../src/core/proposals/sweep-proposals.ts";
import { proposalRunJob } from "../src/jobs/proposal-run.ts";
import { aMember, aProject, openApiWorld, type ApiWorld } from "./api-world.ts";
import { aRepository } from "./git-http.ts";

let world: ApiWorld;
let database: Database;
let dir: string;
beforeAll(async () => {
  world = await openApiWorld();
  database = openDatabase({ url: world.config.database.url, poolMax: 4, onError: () => undefined });
  dir = await mkdtemp(join(tmpdir(), "proposals-"));
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const limits = { packedBytesMax: 2 ** 20, bytesMax: 2 ** 20, entriesMax: 5_000 };

/** A Worker that looks into repositories of up to 1 MiB, and into nothing else. */
function aWorker(more: Partial<RunProposalDeps> = {}) {
  const deps: RunProposalDeps = {
    transact: postgresTransact(database.db),
    clock: systemClock,
    sources: folderSourceStore({
      gitDir: join(dir, "git"),
      sourcesDir: join(dir, "sources"),
      isFileAllowed: true,
      limits,
    }),
    propose: proposeApart,
    workDirs: folderWorkDirs(join(dir, "contexts")),
    ...more,
  };
  return openJobRunner({
    url: world.config.database.url,
    handlers: [proposalRunJob(runProposal(deps))],
    crons: [],
    concurrency: 2,
    logger: pino({ level: "silent" }),
  });
}

const ask = (project: string, url: string, branch?: string) =>
  world.owner(createProposal, { params: { project }, body: { url, ...(branch ? { branch } : {}) } });
const read = (project: string, id: string) => world.owner(getProposal, { params: { project, proposal: id } });
const untilEnded = (project: string, { id }: Proposal): Promise<Proposal> =>
  until(
    "the proposal has ended",
    async () => {
      const proposal = await read(project, id);
      return ["ready", "failed"].includes(proposal.status) && proposal;
    },
    { withinMs: 50_000 },
  );

/** What the audit of a project says of its proposals, newest first. */
async function told(project: string) {
  const { items } = await world.owner(listAudit, { params: { workspace: "home" }, query: { project } });
  return items.filter(({ event }) => event.startsWith("proposal."));
}

/** What becomes of a repository with these files. */
async function proposed(files: Record<string, string>, branch?: string) {
  await using repository = await aRepository(files);
  const { ref } = await aProject(world);
  await using _worker = await aWorker();
  const url = `file://${repository.dir}`;
  return { url, ...(await untilEnded(ref.project, await ask(ref.project, url, branch))) };
}

const app = JSON.stringify({ scripts: { start: "node ." } });
const monorepo = {
  "services/api/package.json": app,
  "site/package.json": app,
  "site/.env.example": "API_URL=${{api.STARFORM_PRIVATE_URL}}\n",
};

test("a repository of several apps is proposed as services, and they can be made just as they are proposed", async () => {
  await using repository = await aRepository(monorepo);
  await repository.git("branch", "--move", "trunk");
  const { ref } = await aProject(world);
  const asked = await ask(ref.project, `file://${repository.dir}`);
  expect(asked).toMatchObject({
    status: "queued",
    branch: null,
    services: [],
    createdBy: expect.any(String),
  });
  await using _worker = await aWorker();
  const ready = await untilEnded(ref.project, asked);
  expect(ready).toMatchObject({
    status: "ready",
    branch: "trunk",
    commit: { sha: repository.first, message: "first" },
    notes: [],
    services: [
      {
        name: "api",
        type: "web",
        provider: "node",
        reason: "services/api holds an app of its own",
        plannedStart: "npm run start",
        settings: { branch: "trunk", rootDirectory: "services/api", watchPaths: ["services/api/**"] },
      },
      { name: "site", variables: { API_URL: "${{api.STARFORM_PRIVATE_URL}}" } },
    ],
  });
  // Nothing of it is kept beside.
  expect(await readdir(join(dir, "git", "fetched"))).toEqual([]);
  expect(await readdir(join(dir, "contexts"))).toEqual([]);

  const place = { project: ref.project, environment: "production" };
  const { source } = ready;
  const unset = await createProposed(
    world.owner,
    place,
    ready.services.map((one) => ({ ...one, source, proposal: ready.id })),
  );
  expect(unset).toEqual([]);
  const subject = `file://${repository.dir}`;
  expect(await told(ref.project)).toMatchObject([
    { event: "proposal.accepted", actor: ready.createdBy, subject, detail: { service: "site" } },
    { event: "proposal.accepted", actor: ready.createdBy, subject, detail: { service: "api" } },
    { event: "proposal.found", actor: "starform", subject, detail: { services: "api, site" } },
    { event: "proposal.created", actor: ready.createdBy, subject },
  ]);
  const made = { project: ref.project, service: "site" };
  expect(await world.owner(getService, { params: made, query: {} })).toMatchObject({
    source: { kind: "git", url: `file://${repository.dir}` },
    settings: { branch: "trunk", rootDirectory: "site", watchPaths: ["site/**"] },
  });
  const { items } = await world.owner(listVariables, { params: made, query: {} });
  expect(items).toMatchObject([{ name: "API_URL", value: "${{api.STARFORM_PRIVATE_URL}}" }]);
});

test("services that an earlier try has made are not made again", async () => {
  const { ref } = await aProject(world);
  const place = { project: ref.project, environment: "production" };
  const one = { type: "web", settings: {}, variables: {} } as const;
  const made = new Set<string>();
  const both = [
    { ...one, name: "api" },
    { ...one, name: "web" },
  ];
  // There is a web already.
  await expect(createProposed(world.owner, place, both, made)).rejects.toMatchObject({ code: "name_taken" });
  expect([...made]).toEqual(["api"]);
  await createProposed(world.owner, place, [both[0]!, { ...one, name: "site" }], made);
  const { items } = await world.owner(listServices, { params: { project: ref.project } });
  expect(items.map(({ name }) => name)).toEqual(["web", "api", "site"]);
});

test("a repository of one app is one proposal, of the branch that was asked for", async () => {
  expect(await proposed({ "package.json": app }, "main")).toMatchObject({
    status: "ready",
    branch: "main",
    services: [{ name: "web", settings: { branch: "main" }, reason: "the repository's root holds an app" }],
  });
});

test("more apps than are proposed are told of", async () => {
  const files = Array.from({ length: 44 }, (_, at) => [`app-${at}/package.json`, app] as const);
  const { services, notes } = await proposed(Object.fromEntries(files));
  expect(services).toHaveLength(40);
  expect(notes).toEqual([
    "only the first 40 of the 44 folders and processes that may be apps were looked at",
  ]);
});

test("an app whose settings no service can have is left out, and that it is is told", async () => {
  const { services, notes } = await proposed({
    "api/package.json": app,
    "web/Procfile": `web: ${"x".repeat(5_000)}\n`,
    "web/starform.json": JSON.stringify({ startCommand: "y".repeat(4_500) }),
  });
  expect(services.map(({ name }) => name)).toEqual(["api"]);
  expect(notes).toEqual([expect.stringContaining("the app in web is left out: its settings.startCommand")]);
});

test("what cannot be proposed says why, and which file would help", async () => {
  const failed = { status: "failed", services: [] };
  expect(await proposed({ "tool.py": "print(1)" })).toMatchObject({
    ...failed,
    reason: "no app was found in the source",
    hint: expect.stringContaining("Rename tool.py to main.py") as string,
  });
  expect(await proposed({ "package.json": app }, "no-such")).toMatchObject({
    ...failed,
    reason: expect.stringContaining('there is no branch, tag or commit "no-such"') as string,
    hint: null,
  });
  const large = await proposed({
    "package.json": app,
    "large.bin": randomBytes(2_000_000).toString("latin1"),
  });
  expect(large).toMatchObject({
    ...failed,
    reason: `the repository ${large.url} is larger than 1 MiB: leave large files out of it, or push the code instead`,
  });
});

test("an address that cannot be read fails with what to check", async () => {
  const { ref } = await aProject(world);
  await using _worker = await aWorker();
  const url = `file://${dir}/nowhere`;
  const { reason } = await untilEnded(ref.project, await ask(ref.project, url));
  expect(reason).toContain("cannot be read");
  expect(await told(ref.project)).toMatchObject([
    { event: "proposal.failed", actor: "starform", subject: url, detail: { reason } },
    { event: "proposal.created", subject: url },
  ]);
});

test("a full disk ends it, in the words in which everybody is told of one", async () => {
  const { ref } = await aProject(world);
  const full = Object.assign(new Error("write"), { code: "ENOSPC" });
  await using _worker = await aWorker({ sources: { fetchOnce: () => Promise.reject(full) } });
  const { reason } = await untilEnded(ref.project, await ask(ref.project, "https://git.example/app.git"));
  expect(reason).toBe(platformDiskIsFull);
});

test("a fault of the platform is tried again, and told when it does not heal", async () => {
  const { ref } = await aProject(world);
  await using repository = await aRepository({ "package.json": app });
  let tries = 0;
  await using _worker = await aWorker({
    propose: () => {
      tries += 1;
      return Promise.reject(new Error("the planner's thread ended with 1"));
    },
  });
  const asked = await ask(ref.project, `file://${repository.dir}`);
  await until("it has been tried", () => tries > 0);
  expect((await read(ref.project, asked.id)).status).toBe("running");
  const ended = await until("it is given up", async () => {
    await sql`update graphile_worker._private_jobs set run_at = now() where locked_at is null`.execute(
      database.db,
    );
    const proposal = await read(ref.project, asked.id);
    return proposal.status === "failed" && proposal;
  });
  expect(tries).toBe(3);
  expect(ended.reason).toBe("looking into the repository failed: the planner's thread ended with 1");
});

test("one whose Worker died too often is ended, and one that is forgotten is not found", async () => {
  const { ref } = await aProject(world);
  const asked = await ask(ref.project, "https://git.example/app.git");
  const sweepAt = (minutes: number) =>
    sweepProposals({
      stores: postgresStores(database.db),
      transact: postgresTransact(database.db),
      clock: { now: () => new Date(Date.parse(asked.createdAt) + minutes * 60_000) },
    })();
  await sweepAt(10);
  expect((await read(ref.project, asked.id)).status).toBe("queued");
  await sql`select graphile_worker.remove_job(${`proposal:${asked.id}`})`.execute(database.db);
  await sweepAt(1);
  expect((await read(ref.project, asked.id)).status).toBe("queued");
  await sweepAt(10);
  expect(await read(ref.project, asked.id)).toMatchObject({
    status: "failed",
    reason: expect.stringContaining("interrupted too often") as string,
  });
  const { proposals } = postgresStores(database.db);
  await proposals.prune(new Date(Date.parse(asked.expiresAt) - 1));
  await read(ref.project, asked.id);
  await proposals.prune(new Date(Date.parse(asked.expiresAt) + 1));
  await expect(read(ref.project, asked.id)).rejects.toMatchObject({ code: "not_found" });
});

test("proposals are for who may make services, and are seen in their own project only", async () => {
  const [{ ref }, other] = [await aProject(world), await aProject(world)];
  const member = (name: string, role: "viewer" | "developer") =>
    aMember(world, `${name}@proposals.example`, "member", { project: ref.project, role });
  const [viewer, developer] = [await member("viewer", "viewer"), await member("developer", "developer")];
  const body = { url: "https://git.example/app.git" };
  const params = { project: ref.project };
  await expect(viewer(createProposal, { params, body })).rejects.toMatchObject({ code: "forbidden" });
  const made = await developer(createProposal, { params, body });
  expect((await viewer(getProposal, { params: { ...params, proposal: made.id } })).id).toBe(made.id);
  // The owner may read both projects, and finds it in its own alone.
  await expect(read(other.ref.project, made.id)).rejects.toMatchObject({ code: "not_found" });
  // What lies on the machine is for who administers the workspace, as it is for services.
  const here = { params, body: { url: "file:///etc" } };
  await expect(developer(createProposal, here)).rejects.toMatchObject({ code: "forbidden" });
  const { items } = await world.owner(listAudit, { params: { workspace: "home" }, query: {} });
  expect(items.find(({ event }) => event === "proposal.created")).toMatchObject({
    actor: "developer@proposals.example",
    subject: body.url,
  });
});

test.each([
  ["git@github.com:you/app.git", "ssh is not supported"],
  ["https://ada:secret@git.example/app.git", "would show it to everybody"],
  ["ext::sh -c id", "is not an address Git can clone"],
])("the address %s is refused before anything is kept", async (url, says) => {
  const { ref } = await aProject(world);
  await expect(ask(ref.project, url)).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringContaining(says) as string,
  });
});

test("a workspace has a few of them under way at once, and looks into one at a time, in whatever project", async () => {
  await sql`delete from proposals`.execute(database.db);
  const [{ ref }, other] = [await aProject(world), await aProject(world)];
  const url = "https://git.example/app.git";
  const first = await ask(ref.project, url);
  for (let count = 1; count < openProposalsMax; count++) await ask(other.ref.project, url);
  for (const { project } of [ref, other.ref])
    await expect(ask(project, url)).rejects.toMatchObject({ code: "rate_limited" });
  const { proposals } = postgresStores(database.db);
  const gone = { status: "failed", reason: "gone", hint: null } as const;
  expect(await proposals.end(first.projectId, first.id, gone, new Date())).toMatchObject(gone);
  // Whoever is late changes nothing of it.
  expect(
    await proposals.end(first.projectId, first.id, { ...gone, reason: "late" }, new Date()),
  ).toBeUndefined();
  expect(await proposals.begin(first.projectId, first.id)).toBeUndefined();
  expect((await read(ref.project, first.id)).reason).toBe("gone");
  await ask(ref.project, url);
  const queues = await sql`select distinct job_queue_id from graphile_worker._private_jobs`.execute(
    database.db,
  );
  expect(queues.rows).toHaveLength(1);
});
