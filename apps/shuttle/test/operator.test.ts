import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { desiredStatePurpose, type DesiredState } from "@starform/contract/clusters";
import { signerOf } from "@starform/std/signature";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { instanceFiles } from "../src/adapters/local/process/instance-files.ts";
import { serviceMemories } from "../src/adapters/local/service-memory.ts";
import { keyOf } from "../src/core/service-key.ts";
import { operate } from "../src/wiring/operate.ts";
import { storesOf } from "../src/wiring/open-stores.ts";
import { aDocument, aService, redeployed } from "./desired.ts";
import { openFakeDocker } from "./fake-docker.ts";

const clusterId = randomUUID();
const signer = signerOf(`k1:${randomBytes(32).toString("base64")}`, desiredStatePurpose);
let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), "starform-operator-"))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const config = () => ({
  runtime: "process" as const,
  dir: join(dataDir, "shuttle"),
  kubernetes: { kubeconfigFile: undefined },
  dockerSocket: "",
  clusterId,
  signingKeys: signer.publicKeys,
});
const run = (...args: string[]) => operate(args, config());
async function keep(state: DesiredState, signature?: string): Promise<void> {
  await using stores = await storesOf(config(), () => undefined);
  const text = JSON.stringify(state);
  await stores.desiredStore.save({ text, signature: signature ?? signer.sign(text), etag: undefined });
}
const [first, other] = [
  aService({ image: "app@sha256:1" }),
  aService({ image: "b", environment: "preview" }),
];
const second = redeployed(first, { image: "app@sha256:2" });

test("a service is held at an earlier version and let go again, by commands that need no Starbase", async () => {
  await keep(aDocument(clusterId, 1, [first, other]));
  await keep(aDocument(clusterId, 2, [second, other]));
  expect((await run("rollback", "shop/production/web", "1", "--by", "ada")).text).toMatch(
    /shop\/production\/web is held at version 1.*app@sha256:1/,
  );
  expect((await run("status")).json).toMatchObject({
    version: 2,
    kept_versions: [2, 1],
    services: [
      {
        service: "shop/production/web",
        image: "app@sha256:1",
        deployment_id: first.provenance.deployment_id,
        held_at_version: 1,
        held_by: "ada",
      },
      { service: "shop/preview/web", held_at_version: null },
    ],
  });
  await run("resume", "shop/production/web", "--by", "bob");
  expect((await run("status")).text).toMatch(/app@sha256:2/);
  await using stores = await storesOf(config(), () => undefined);
  const [ended] = (await stores.overrides.list()).overrides;
  expect(ended).toMatchObject({ by: "ada", from_version: 1, let_go: { by: "bob" } });
  await expect(run("resume", "shop/production/web")).rejects.toThrow(/is not held back/);
});

test("one that is held anew keeps what held it before, and who ended that, for Starbase may not know", async () => {
  const third = redeployed(second, { image: "app@sha256:3" });
  for (const [at, service] of [first, second, third].entries())
    await keep(aDocument(clusterId, at + 1, [service]));
  await run("rollback", "web", "2", "--by", "ada");
  await run("resume", "web", "--by", "bob");
  await run("rollback", "web", "1", "--by", "kim");
  await run("rollback", "web", "2", "--by", "lee");
  const held = async () => {
    await using stores = await storesOf(config(), () => undefined);
    return (await stores.overrides.list()).overrides;
  };
  const [now, ...more] = await held();
  expect(more).toEqual([]);
  expect(now).toMatchObject({ by: "lee", from_version: 2 });
  expect(now).not.toHaveProperty("let_go");
  expect(now!.earlier).toMatchObject([
    { by: "ada", from_version: 2, let_go: { by: "bob" } },
    { by: "kim", from_version: 1, let_go: { by: "lee", at: now!.at } },
  ]);
  // Starbase has decided anew since: whoever deployed has ended it.
  await keep(aDocument(clusterId, 4, [redeployed(third, { image: "app@sha256:4" })]));
  await run("rollback", "web", "1", "--by", "mia");
  expect((await held())[0]?.earlier).toMatchObject([
    { by: "ada" },
    { by: "kim" },
    { by: "lee", from_version: 2, let_go: { by: "ada@example.com", at: now!.at } },
  ]);
});

test("status tells how many instances are up, as the machine has them, and says where it cannot see any", async () => {
  await keep(aDocument(clusterId, 1, [{ ...first, replicas: 2 }, other]));
  const { dir } = config();
  const files = instanceFiles(join(dir, "instances"));
  for (const [id, pid] of [
    ["alive", process.pid],
    // No process has this number.
    ["ended", 2 ** 22 + 1],
  ] as const) {
    files.create({ id, labels: {}, port: null, startedAtMs: 0, cpuMillis: 1 });
    files.setBorn(id, pid);
  }
  const memories = serviceMemories(join(dir, "services"));
  memories.save({ ...memories.fresh(keyOf(first)), serving: ["alive", "ended"] });
  memories.save({ ...memories.fresh(keyOf(other)), serving: ["in an engine"] });
  const { json, text } = await run("status");
  expect(json).toMatchObject({
    services: [
      { service_id: first.service_id, ready: 1, desired: 2 },
      { service_id: other.service_id, ready: null, desired: null },
    ],
  });
  expect(text).toMatch(/shop\/production\/web {2}1\/2 ready {2}app@sha256:1/);
  expect(text).toMatch(/shop\/preview\/web {2}1x, how many are ready is not known/);
});

test("status tells what an engine has of them", async () => {
  await keep(aDocument(clusterId, 1, [{ ...first, replicas: 3 }]));
  const container = (id: string, State: string) => ({ Labels: { "starform.io/instance": id }, State });
  await using docker = await openFakeDocker(({ path }) =>
    path.startsWith("/containers/json")
      ? { body: [container("a", "running"), container("b", "exited"), container("c", "running")] }
      : undefined,
  );
  const memories = serviceMemories(join(config().dir, "services"));
  memories.save({ ...memories.fresh(keyOf(first)), serving: ["a", "b"] });
  const status = (dockerSocket: string) =>
    operate(["status"], { ...config(), runtime: "docker", dockerSocket });
  expect((await status(docker.socketPath)).text).toMatch(/shop\/production\/web {2}1\/3 ready /);
  expect((await status(join(dataDir, "no engine"))).text).toMatch(/3x, how many are ready is not known/);
});

test("an override that cannot be read is told, and let go or made anew", async () => {
  await keep(aDocument(clusterId, 1, [first]));
  await keep(aDocument(clusterId, 2, [second]));
  const dir = join(dataDir, "shuttle/overrides");
  const spoil = async () => {
    await run("rollback", "web", "1");
    for (const name of readdirSync(dir)) writeFileSync(join(dir, name), "{");
    expect((await run("status")).text).toMatch(
      /it is left as it is: what holds it back on the cluster cannot be read; `shuttle resume web` lets it go/,
    );
  };
  await spoil();
  await run("resume", "web");
  expect((await run("status")).json).toMatchObject({ services: [{ left_alone: null, held_by: null }] });
  await spoil();
  await run("rollback", "web", "1", "--by", "ada");
  expect((await run("status")).json).toMatchObject({ services: [{ left_alone: null, held_by: "ada" }] });
});

test("the program itself says so, with an exit code", async () => {
  await keep(aDocument(clusterId, 1, [first]));
  await keep(aDocument(clusterId, 2, [second]));
  const shuttle = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, "../bin/shuttle.ts"), ...args], {
      env: {
        PATH: process.env["PATH"],
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        STARFORM_DATA_DIR: dataDir,
        STARFORM_SIGNING_KEYS: signer.publicKeys,
      },
    });
  expect(JSON.parse((await shuttle("rollback", "web", "1", "--json")).stdout)).toMatchObject({
    from_version: 1,
    instead_of: second.provenance.deployment_id,
  });
  await expect(shuttle("rollback", "web", "7")).rejects.toMatchObject({
    code: 1,
    stderr: "version 7 is not kept; these are: 2, 1\n",
  });
});

test.each([
  [
    ["rollback", "web", "1"],
    /web is the name of 2 services: say which of shop\/preview\/web, shop\/production\/web/,
  ],
  [["rollback", "nothing", "1"], /has no service nothing: `shuttle status` lists them/],
  [["rollback", "shop/preview/web", "1"], /ran the same deployment in version 1: nothing would change/],
  [["rollback", "web"], /not a command of shuttle/],
  [
    ["rollback", "shop/production/web", "1", "--by", " "],
    /--by is to name who does it, in 1 to 256 characters/,
  ],
  [["rollback", "shop/production/web", "1", "--by", "a".repeat(257)], /--by is to name who does it/],
  [["resume", "shop/production/web"], /is not held back/],
])("refuses %j with what to do", async (args, message) => {
  await keep(aDocument(clusterId, 1, [first, other]));
  await keep(aDocument(clusterId, 2, [second, other]));
  await expect(run(...args)).rejects.toThrow(message);
});

test("a kept version that was edited is none to go back to", async () => {
  await keep(aDocument(clusterId, 1, [first]), "k1:AAAA");
  await keep(aDocument(clusterId, 2, [second]));
  await expect(run("rollback", "web", "1")).rejects.toThrow(/version 1 is not kept; these are: 2/);
});

test("without anything kept it says that Shuttle has never reached Starbase", async () => {
  await expect(run("status")).rejects.toThrow(/never reached Starbase/);
});

test("every page that holds a service back in a pod says who does it: the pod's own user is nobody", () => {
  const dir = join(import.meta.dirname, "../../../docs/runbooks");
  const lines = readdirSync(dir).flatMap((page) => readFileSync(join(dir, page), "utf8").split("\n"));
  const held = lines.filter((line) => /shuttle\.mjs (rollback|resume)/.test(line));
  expect(held.length).toBeGreaterThanOrEqual(2);
  expect(held.filter((line) => !line.endsWith('--by "$USER"'))).toEqual([]);
});

test("without Starbase's keys what is kept is believed, and that is said", async () => {
  await keep(aDocument(clusterId, 1, [first]));
  await keep(aDocument(clusterId, 2, [second]), "k1:forged");
  using said = vi.spyOn(console, "error").mockReturnValue();
  const versions = async (own: object) => (await operate(["status"], { ...config(), ...own })).json;
  expect(await versions({})).toMatchObject({ kept_versions: [1] });
  expect(said).not.toHaveBeenCalled();
  expect(await versions({ signingKeys: undefined })).toMatchObject({ kept_versions: [2, 1] });
  expect(said.mock.calls.flat()).toEqual([
    expect.stringMatching(/^STARFORM_SIGNING_KEYS_FILE is not set: .* passed over$/),
  ]);
});
