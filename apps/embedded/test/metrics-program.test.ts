import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { findProgram } from "../src/debian-packages.ts";
import { metricsProgram } from "../src/programs/stores.ts";

const canRun = process.env.CI ? true : findProgram("victoria-metrics") !== undefined;

type Targets = { data: { activeTargets: { health: string; labels: { job: string } }[] } };

test.skipIf(!canRun)(
  "VictoriaMetrics fetches what the processes show, with the gateway's token, and answers to its password only",
  { timeout: 90_000 },
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "starform-metrics-program-"));
    const tokenFile = join(dataDir, "token");
    writeFileSync(tokenFile, "of-tests");
    let fetches = 0;
    const shown = createServer({ keepAliveTimeout: 1_000 }, (request, response) => {
      fetches += 1;
      const isOpen =
        request.url === "/metrics" &&
        (request.headers.host !== gateway || request.headers.authorization === "Bearer of-tests");
      response.writeHead(isOpen ? 200 : 401).end('shown{project_id="p"} 1\n');
    }).listen(0, "127.0.0.1");
    await once(shown, "listening");
    const gateway = `127.0.0.1:${(shown.address() as AddressInfo).port}`;
    const port = await freePort();
    const program = metricsProgram(dataDir, port, "of-the-store", {
      gateway: { address: gateway, tokenFile },
      shuttle: gateway.replace("127.0.0.1", "localhost"),
      worker: gateway.replace("127.0.0.1", "localhost"),
    });
    await program?.prepare?.(new AbortController().signal);
    const { file, args, env } = program!.command;
    const child = spawn(file, args, { stdio: "ignore", env: { ...process.env, ...env } });
    const targets = `http://127.0.0.1:${port}/api/v1/targets`;
    const authorization = `Basic ${btoa("starform:of-the-store")}`;
    try {
      await until(
        "all three to be fetched",
        async () => {
          const { data } = (await (await fetch(targets, { headers: { authorization } })).json()) as Targets;
          const up = data.activeTargets
            .filter(({ health }) => health === "up")
            .map(({ labels }) => labels.job);
          return up.toSorted().join() === "gateway,shuttle,worker";
        },
        { withinMs: 60_000, everyMs: 250 },
      );
      expect(await program!.isReady()).toBe(true);
      await until("each to be fetched again", () => fetches >= 6, { withinMs: 45_000 });
      const own = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization } });
      // Each repeat would cost two seconds of the five that a fetch may take.
      expect(await own.text()).toContain("vm_promscrape_scrape_retries_total 0");
      expect((await fetch(targets)).status).toBe(401);
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
      shown.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
