import { existsSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { deleteProject } from "@starform/contract/projects";
import { until } from "@starform/std/retry";
import { uuid } from "@starform/std/ids";
import { sql } from "kysely";
import { pino } from "pino";
import { expect, test } from "vitest";
import { openDatabase } from "../src/adapters/postgres/database.ts";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import { removeImages } from "../src/core/images/remove-images.ts";
import { cleanUpJobs } from "../src/jobs/clean-up.ts";
import { aProject, openApiWorld, ownerToken } from "./api-world.ts";

test("a deleted project leaves neither code nor images nor logs behind", async () => {
  await using world = await openApiWorld();
  const { ref, project, service } = await aProject(world);
  const sent = await fetch(`${world.url}/v1/projects/${ref.project}/services/${ref.service}/sources`, {
    method: "POST",
    headers: { authorization: `Bearer ${ownerToken}`, "content-type": "application/gzip" },
    body: gzipSync(Buffer.alloc(1_024)),
  });
  expect(sent.status).toBe(201);
  const folder = join(world.config.dataDir, "sources", service.id);
  expect(existsSync(folder)).toBe(true);

  const pushed = `sha256:${"b".repeat(64)}`;
  const image = `starform.local/${project.id}/${service.id}@sha256:${"a".repeat(64)}`;
  await using database = openDatabase({ ...world.config.database, onError: () => undefined });
  await sql`insert into builds (id, workspace_id, project_id, service_id, build_key, image, created_at)
    values (${uuid()}, ${project.workspaceId}, ${project.id}, ${service.id}, 'k', ${image}, now())`.execute(
    database.db,
  );
  await world.owner(deleteProject, { params: { project: ref.project }, query: { confirm: ref.project } });
  const forgotten: string[] = [];
  const removed: string[] = [];
  const removing = removeImages([
    {
      title: "a store of the test",
      prefix: "starform.local",
      repositories: async () => [],
      images: async () => [{ digest: pushed, tags: [], sizeBytes: 1, storedAt: new Date() }],
      remove: async ({ projectId, serviceId }, digest) =>
        void removed.push(`starform.local/${projectId}/${serviceId}@${digest}`),
    },
  ]);
  const sources = folderSourceStore({
    sourcesDir: join(world.config.dataDir, "sources"),
    gitDir: join(world.config.dataDir, "git"),
    isFileAllowed: true,
  });
  const logs = { deleteProject: async (_: string, projectId: string) => void forgotten.push(projectId) };
  await using _runner = await openJobRunner({
    url: world.config.database.url,
    handlers: cleanUpJobs({ sources, logs, removeImages: removing }),
    crons: [],
    concurrency: 2,
    logger: pino({ level: "silent" }),
  });
  await until("the code is gone", () => !existsSync(folder));
  await until("the logs are gone", () => forgotten.includes(project.id));
  expect(removed).toEqual([]);
  await sql`update graphile_worker._private_jobs set run_at = now()`.execute(database.db);
  await until("the images are gone, once nothing drains on them any more", () => removed.includes(image));
  const alone = `starform.local/${project.id}/${service.id}@${pushed}`;
  await until("what nobody built is gone too", () => removed.includes(alone));
});
