import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { ensureBaseImages } from "@starform/buildkit/base-images";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport } from "@starform/buildkit/transport";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { openOutside, untilAnswered, words, type Outside } from "@starform/testkit/outside";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sayWalls } from "../src/adapters/buildkit/say-walls.ts";

const firewall = () => execFileSync("iptables", ["--wait", "20", "-S"], { encoding: "utf8" });

describe.skipIf(!requireEngineInCi())("an engine with walls", { timeout: 240_000 }, () => {
  let stack: AsyncDisposableStack;
  let dir: string;
  let outside: Outside;
  let engine: DockerEngine;
  let base: string;
  /** Servers of this machine on every address: one the engine may speak to, and one that it may not. */
  let [open, closed] = [0, 0];

  const serve = async (): Promise<number> => {
    const server = createServer((_request, response) => response.end("of this machine"));
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    stack.defer(() => void server.close());
    return (server.address() as AddressInfo).port;
  };
  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    dir = await mkdtemp(path.join(tmpdir(), "engine-walls-"));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    outside = stack.use(await openOutside());
    [open, closed] = [await serve(), await serve()];
    const walls = { loopbackPorts: [open], deniedHosts: [outside.storeHost, "localhost"] };
    engine = await openDockerEngine({ walls });
    stack.use(engine);
    const bases = await ensureBaseImages(engine.socketPath, {
      cacheDir: path.join(dir, "bases"),
      nodeVersion: process.versions.node,
      form: "host",
      log: () => undefined,
    });
    base = bases.builder;
  }, 240_000);
  afterAll(() => stack?.disposeAsync());

  /** What a build of these lines printed, or why it failed. */
  async function built(...lines: string[]): Promise<string> {
    await writeFile(path.join(dir, "Dockerfile"), [`FROM ${base}`, ...lines, ""].join("\n"));
    await using client = await openBuildKit(dockerTransport(engine.socketPath));
    const said: string[] = [];
    await buildDockerfile(client, {
      contextDir: dir,
      dockerfilePath: "Dockerfile",
      tags: ["walls:1"],
      noCache: true,
      ignore: ["bases"],
      onLog: ({ text }) => void said.push(text),
    }).catch((error: unknown) => said.push(String(error)));
    return said.join("\n");
  }
  const ask = (urls: readonly string[]) =>
    `RUN node -e 'Promise.all(${JSON.stringify(urls)}.map((url) => fetch(url, { signal: AbortSignal.timeout(10000) }).then((r) => r.text(), (e) => "not reached: " + (e.cause?.code ?? e)).then((said) => console.log(url, said))))'`;

  test("lets a build's commands out, and neither to this machine by any address nor to a cloud's metadata or a store", async () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((one) => one ?? [])
      .filter(({ family }) => family === "IPv4")
      .map(({ address }) => address);
    const own = [...new Set(addresses)].flatMap((address) => [
      `http://${address}:${closed}`,
      `http://${address}:${open}`,
    ]);
    const { refusedUrls } = outside;
    await untilAnswered(refusedUrls);
    const said = await built(ask([outside.url, ...refusedUrls, ...own]));
    expect(said).toContain(`${outside.url} ${words}`);
    for (const url of [...refusedUrls, ...own]) expect(said).toContain(`${url} not reached: `);
    expect(said).not.toContain("of this machine");
  });

  test("fetches what a Dockerfile adds from elsewhere, and nothing of this machine, a cloud's metadata or a store", async () => {
    expect(await built(`ADD ${outside.url}/file /file`, "RUN cat /file")).toContain(words);
    expect(await built(`ADD http://127.0.0.1:${open}/file /file`, "RUN cat /file")).toContain(
      "of this machine",
    );
    const own = [`http://127.0.0.1:${closed}`, `http://localhost:${closed}`];
    await untilAnswered(outside.refusedUrls);
    for (const url of [...own, ...outside.refusedUrls]) {
      const said = await built(`ADD ${url}/file /file`, "RUN cat /file");
      expect(said).toMatch(/connection refused|network is unreachable|no route|failed/i);
      expect(said).not.toContain("of this machine");
      expect(said).not.toContain(words);
    }
  });

  test("gives no build the machine's own network", async () => {
    const said = await built(
      `RUN --network=host node -e 'fetch("http://127.0.0.1:${closed}").then((r) => r.text()).then(console.log)'`,
    );
    expect(said).not.toContain("of this machine");
  });
});

test.skipIf(!requireEngineInCi())("the walls of an engine go with it", async () => {
  const before = firewall();
  const engine = await openDockerEngine({ walls: { loopbackPorts: [], deniedHosts: [] } });
  const chains = [...firewall().matchAll(/^-N (SF\w+)-OUT$/gm)].map(([, chain]) => chain!);
  const [own] = chains.filter((chain) => !before.includes(chain));
  expect(own).toBeDefined();
  expect(await sayWalls(engine.socketPath)).toBeUndefined();
  await engine[Symbol.asyncDispose]();
  expect(firewall()).not.toContain(own);
});

test.skipIf(!requireEngineInCi())(
  "an engine is not started before a store whose name nobody knows",
  async () => {
    const walls = { loopbackPorts: [], deniedHosts: ["a-store.invalid"] };
    await expect(openDockerEngine({ walls })).rejects.toThrow(/builds are to be kept from a-store\.invalid/);
  },
);

test.skipIf(!requireEngineInCi())(
  "a build on an engine of somebody else says what it can reach",
  async () => {
    await using engine = await openDockerEngine();
    expect(await sayWalls(engine.socketPath)).toMatch(/^NETWORK NOT KEPT APART: /);
  },
);
