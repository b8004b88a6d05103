import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DataDir } from "../src/data-dir/data-dir.ts";
import type { PlatformDescription } from "../src/data-dir/state.ts";
import { expectRuntime, openRuntime, unboundedBuilds } from "../src/engines/choose-runtime.ts";
import { sayPlatform } from "../src/platform/table.ts";

const platform: PlatformDescription = {
  dashboardUrl: "http://localhost:4400",
  apiUrl: "http://127.0.0.1:4401",
  appsDomain: "localhost:4402",
  gatewayUrl: "http://127.0.0.1:4402",
  gitUrl: "http://127.0.0.1:4401/git",
  ownerLoginUrl: "http://localhost:4400/sign-in",
  ownerToken: "sf_owner",
  dataDir: "/srv/starform",
  runtime: "docker",
  stores: { database: "PostgreSQL", logs: "none", metrics: "none", jobs: "PostgreSQL", images: "none" },
};

/** A Docker Engine as far as a start asks it whether it is there. */
async function aRunningEngine(): Promise<AsyncDisposable & { address: string }> {
  const dir = mkdtempSync(join(tmpdir(), "starform-found-"));
  const server = createServer((_request, response) => response.end("OK"));
  server.listen(join(dir, "docker.sock"));
  await once(server, "listening");
  return {
    address: `unix://${join(dir, "docker.sock")}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const runtimeOf = async (wanted: { runtime: "docker" | "process"; dockerHost: string | undefined }) => {
  const expected = await expectRuntime(
    { ...wanted, portBase: 4400, databaseUrl: undefined },
    "/srv/starform",
  );
  const nothing = () => undefined;
  const { signal } = new AbortController();
  return openRuntime(expected, wanted, { dataDir: {} as DataDir, say: nothing, onEvent: nothing, signal });
};

test("a start on an engine that ran before says that its builds have neither bounds nor walls, and what to do", async () => {
  await using engine = await aRunningEngine();
  const runtime = await runtimeOf({ runtime: "docker", dockerHost: engine.address });
  expect(runtime.dockerSocket).toBe(engine.address.slice("unix://".length));
  const said = sayPlatform({ ...platform, ...unboundedBuilds(runtime) }, { isDetached: false });
  expect(said).toMatch(
    /^ {2}Builds {10}.*Docker Engine that ran before.*memory, processors, processes or disk.*network.*stop it/m,
  );
});

test("a start whose builds are bounded says nothing of bounds", async () => {
  const runtime = await runtimeOf({ runtime: "process", dockerHost: undefined });
  const said = sayPlatform({ ...platform, ...unboundedBuilds(runtime) }, { isDetached: false });
  expect(said).not.toMatch(/^ {2}Builds/m);
});
