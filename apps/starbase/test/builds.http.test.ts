import { createHash } from "node:crypto";
import { getBuild, getProvenance, getSbom, type BuildReport } from "@starform/contract/builds";
import { uuid } from "@starform/std/ids";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type Database } from "../src/adapters/postgres/database.ts";
import { postgresBuildStore } from "../src/adapters/postgres/build-store.ts";
import { documentOf } from "../src/core/builds/documents/build-document.ts";
import { aMember, aProject, openApiWorld, type ApiWorld } from "./api-world.ts";

let stack: AsyncDisposableStack;
let world: ApiWorld;
let database: Database;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  world = stack.use(await openApiWorld());
  database = stack.use(openDatabase({ ...world.config.database, onError: () => undefined }));
});
afterAll(() => stack.disposeAsync());

/** A build of a project of its own. */
async function aBuild() {
  const { project, service, ref } = await aProject(world);
  const id = uuid();
  await sql`insert into builds (id, workspace_id, project_id, service_id, build_key, info, created_at)
    values (${id}, ${project.workspaceId}, ${project.id}, ${service.id}, 'k', '{"kind":"plan"}', now())`.execute(
    database.db,
  );
  return { id, project, ref };
}
const see = (id: string, call = world.owner) => call(getBuild, { params: { build: id } });

test("a build tells what was planned and measured, and keeps absent what nobody could know", async () => {
  const { id, project } = await aBuild();
  expect(await see(id)).toMatchObject({ projectId: project.id, startedAt: null, report: null });
  const report: BuildReport = {
    stages: [{ name: "clone", durationMs: 12 }],
    steps: [
      { name: "npm ci", outcome: "done", durationMs: 4_100 },
      { name: "copy", outcome: "cached" },
    ],
    imageBytes: 7,
  };
  await postgresBuildStore(database.db).begin(id, new Date());
  await postgresBuildStore(database.db).keepReport(id, report);
  const seen = await see(id);
  expect(seen).toMatchObject({ info: { kind: "plan" }, startedAt: expect.any(String) });
  expect(seen.report).toEqual(report);
});

test("a build gives what it says of its image, byte for byte, and tells where there is nothing to give", async () => {
  const { id, ref } = await aBuild();
  const get = (route: typeof getSbom | typeof getProvenance, call = world.owner) =>
    call(route, { params: { build: id } });
  await expect(get(getSbom)).rejects.toMatchObject({ code: "not_found", message: /made no image/ });
  const sbom = documentOf(
    "sbom",
    { bomFormat: "CycloneDX", components: [{ name: "ä\n" }], 1: 2.5 },
    (text) => text,
  );
  const provenance = documentOf("provenance", { _type: "https://in-toto.io/Statement/v1" }, (text) => text);
  const store = postgresBuildStore(database.db);
  await store.keepDocuments(id, [sbom, provenance], new Date());
  await store.keepDocuments(id, [sbom, provenance], new Date());
  expect((await see(id)).documents).toEqual(
    [sbom, provenance].map(({ kind, mediaType, digest, text }) => ({
      kind,
      mediaType,
      digest,
      sizeBytes: Buffer.byteLength(text),
    })),
  );
  const printed = JSON.stringify(await get(getSbom));
  expect(`sha256:${createHash("sha256").update(printed).digest("hex")}`).toBe(sbom.digest);
  expect(await get(getProvenance)).toEqual(JSON.parse(provenance.text));
  const stranger = await aMember(world, `stranger-of-${ref.project}@example.org`, "member");
  await expect(get(getSbom, stranger)).rejects.toMatchObject({ message: /^there is no such build/ });
});

test("a build of a project that a caller may not see is no build at all, word for word", async () => {
  const { id, ref } = await aBuild();
  const stranger = await aMember(world, "stranger@example.org", "member");
  const viewer = await aMember(world, "viewer@example.org", "member", {
    project: ref.project,
    role: "viewer",
  });
  const told = await see(id, stranger).catch((error: Error) => error.message);
  expect(told).toBe(await see(uuid(), stranger).catch((error: Error) => error.message));
  expect(told).toMatch(/^there is no such build/);
  expect((await see(id, viewer)).id).toBe(id);
});
