import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DesiredService } from "@starform/contract/clusters";
import { until } from "./eventually.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { aDocument, aService, redeployed } from "./desired.ts";
import { openFakeStarbase } from "./fake-starbase.ts";
import { openFakeGateway } from "./fake-gateway.ts";
import { processImage } from "./process-image.ts";
import { sampleApp } from "./sample-app.ts";

vi.setConfig({ testTimeout: 120_000 });
const clusterId = randomUUID();
const dir = mkdtempSync(join(tmpdir(), "starform-shuttle-"));
let starbase: Awaited<ReturnType<typeof openFakeStarbase>>;
let gateway: Awaited<ReturnType<typeof openFakeGateway>>;
let shuttle: ChildProcess | undefined;
let web: DesiredService;
let worker: DesiredService;
let version = 0;
/** Every line of every Shuttle's log. */
const logged: string[] = [];

function startShuttle(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../bin/shuttle.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      STARFORM_STARBASE_URL: starbase.url,
      STARFORM_CLUSTER_ID: clusterId,
      STARFORM_REGION: "local",
      STARFORM_AUTH_TOKEN_FILE: join(dir, "token"),
      STARFORM_DATA_DIR: dir,
      STARFORM_METRICS_ADDR: "127.0.0.1:0",
      STARFORM_SNAPSHOT_INTERVAL: "1s",
      STARFORM_CAPACITY_INTERVAL: "1s",
      STARFORM_RECONCILE_INTERVAL: "1s",
      STARFORM_GATEWAY_ADMIN_URL: gateway.url,
      STARFORM_GATEWAY_ADMIN_TOKEN_FILE: join(dir, "token"),
    },
  });
  createInterface(child.stdout).on("line", (line) => {
    logged.push(line);
    if (process.env["SHUTTLE_LOG"]) console.log(line);
  });
  return child;
}
const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> => {
  const closed = once(child, "exit");
  child.kill(signal);
  return (await closed)[0] as number | null;
};
const publish = (...services: DesiredService[]): string =>
  starbase.publish(aDocument(clusterId, ++version, services));
const reported = (service: DesiredService, phase: string) =>
  until(
    `${service.service_name} is ${phase}`,
    () => {
      const report = starbase.told.reports.get(service.service_id);
      return report?.phase === phase && report.deployment_id === service.provenance.deployment_id
        ? report
        : undefined;
    },
    { withinMs: 60_000 },
  );
const says = (service: DesiredService) => gateway.ask(service.hostname!, "/").catch(() => "");

beforeAll(async () => {
  writeFileSync(join(dir, "token"), "cluster-token");
  starbase = await openFakeStarbase("cluster-token");
  gateway = await openFakeGateway("cluster-token");
  web = aService({ image: processImage(join(dir, "images"), sampleApp, { cmd: "node server.mjs" }) });
  worker = aService({
    image: processImage(join(dir, "images"), sampleApp, { cmd: "node worker.mjs" }),
    service_type: "worker",
    service_name: "worker",
    hostname: null,
  });
  shuttle = startShuttle();
});
afterAll(async () => {
  if (shuttle?.exitCode === null) await end(shuttle, "SIGTERM");
  await starbase[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

test("runs what Starbase publishes, meters it and says so", async () => {
  publish(web, worker);
  await reported(web, "running");
  await reported(worker, "running");
  expect(await says(web)).toContain("version 1");
  await until("both are metered", () =>
    [web, worker].every((service) =>
      [...starbase.told.snapshots.values()].some((snapshot) => snapshot.service_id === service.service_id),
    ),
  );
  await until("capacity is told", () =>
    starbase.told.capacity.some((capacity) => capacity["current_pod_count"] === 2),
  );
  expect(starbase.told.registered[0]).toMatchObject({ runtime: "process", region: "local" });
});

test("is killed and goes on: the same instances serve all the time, and output goes on from where it was", async () => {
  const before = await says(web);
  await end(shuttle!, "SIGKILL");
  expect(await says(web)).toBe(before);
  starbase.goAway();
  shuttle = startShuttle();
  await until("its own state is enough", () => gateway.puts > 0);
  expect(await says(web)).toBe(before);
  starbase.comeBack();
  const next = redeployed(web, { env: { VERSION: "2" } });
  publish(next, worker);
  await reported(next, "running");
  await until("the new version serves", async () => (await says(next)).includes("version 2"));
  web = next;
});

test("logs what it says of a service so that it is found by the service", async () => {
  starbase.refusing.set(worker.service_id, "it does not run here");
  const said = (words: string) =>
    until(words, () =>
      logged
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find(({ msg }) => String(msg).includes(words)),
    );
  const tenant = {
    project_id: worker.project_id,
    environment: worker.environment,
    service_id: worker.service_id,
  };
  expect(await said("did not count")).toMatchObject(tenant);
  worker = redeployed(worker, { env: { VERSION: "2" } });
  publish(web, worker);
  expect(await said("did not take a report")).toMatchObject(tenant);
  starbase.refusing.clear();
  await reported(worker, "running");
});

test("restarts a crashed app while Starbase is away", async () => {
  starbase.goAway();
  const before = await says(web);
  await gateway.ask(web.hostname!, "/exit");
  await until("it is back", async () => {
    const answer = await says(web);
    return answer.includes("version 2") && answer !== before;
  });
  starbase.comeBack();
  await until(
    "the restart is reported",
    () => (starbase.told.reports.get(web.service_id)?.restarts ?? 0) > 0,
  );
});

test("keeps what runs when a document is foreign, older, empty or malformed", async () => {
  const before = await says(web);
  for (const bad of [
    aDocument(randomUUID(), 99, []),
    aDocument(clusterId, 1, [web]),
    aDocument(clusterId, version + 1, []),
    { version: "x" },
  ]) {
    const etag = starbase.publish(bad);
    await until("it was handed out", () => starbase.told.documents.includes(etag));
  }
  const good = publish(web, worker);
  await until("the next good one is taken", () => starbase.told.documents.includes(good));
  expect(await says(web)).toBe(before);
});

test("takes away what a newer document marks as deleted or no longer names", async () => {
  publish({ ...web, deleted: true });
  await until("the route is gone", () => !gateway.hosts().includes(web.hostname!), { withinMs: 40_000 });
  await until("nothing runs", () => starbase.told.capacity.at(-1)?.["current_pod_count"] === 0, {
    withinMs: 20_000,
  });
});

test("ends in order, and leaves nothing behind", async () => {
  publish(web);
  await reported(web, "running");
  await until("it answers", async () => (await says(web)) !== "");
  expect(await end(shuttle!, "SIGTERM")).toBe(0);
  expect(await says(web)).toBe("");
});
