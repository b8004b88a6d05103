import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { freePort } from "../src/adapters/local/process/free-port.ts";
import { aDocument } from "./desired.ts";
import { openFakeDocker } from "./fake-docker.ts";
import { openFakeStarbase } from "./fake-starbase.ts";
import { openFakeGateway } from "./fake-gateway.ts";

test("Shuttle starts while the Docker Engine is away, says so, and goes on by itself once it is there", async () => {
  const [dir, clusterId] = [mkdtempSync(join(tmpdir(), "starform-away-")), randomUUID()];
  writeFileSync(join(dir, "token"), "cluster-token");
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const starbase = stack.use(await openFakeStarbase("cluster-token"));
  starbase.publish(aDocument(clusterId, 1, []));
  const gateway = stack.use(await openFakeGateway("cluster-token"));
  const port = await freePort(() => false);
  const shuttle = spawn(process.execPath, [join(import.meta.dirname, "../bin/shuttle.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      STARFORM_STARBASE_URL: starbase.url,
      STARFORM_CLUSTER_ID: clusterId,
      STARFORM_REGION: "local",
      STARFORM_AUTH_TOKEN_FILE: join(dir, "token"),
      STARFORM_DATA_DIR: dir,
      STARFORM_METRICS_ADDR: `127.0.0.1:${port}`,
      STARFORM_RUNTIME: "docker",
      STARFORM_DOCKER_SOCKET: join(dir, "docker.sock"),
      STARFORM_GATEWAY_ADMIN_URL: gateway.url,
      STARFORM_GATEWAY_ADMIN_TOKEN_FILE: join(dir, "token"),
    },
  });
  const exited = once(shuttle, "exit");
  stack.defer(async () => {
    shuttle.kill("SIGKILL");
    await exited;
  });
  let said = "";
  shuttle.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));

  await until("it to say so", () => said.includes("the Docker Engine cannot be reached at"), {
    withinMs: 30_000,
  });
  const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
  expect(await ready()).toMatchObject({
    status: "not_ready",
    reason: expect.stringContaining(join(dir, "docker.sock")),
  });
  expect(starbase.told.registered).toEqual([]);
  stack.use(await openFakeDocker(() => undefined, dir));
  await until("it to lead", () => starbase.told.registered.length > 0, { withinMs: 30_000 });
  expect(starbase.told.registered[0]).toMatchObject({ runtime: "docker" });
  await until("it to be ready", async () => ((await ready()) as { status: string }).status === "ready");
  shuttle.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
});
