import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { buildDockerfile } from "../src/build-dockerfile.ts";
import { BuilderLost } from "../src/builder-lost.ts";
import { openBuildKit, type BuildKit } from "../src/client.ts";
import { tcpTransport, type Transport } from "../src/transport.ts";
import { aFolder } from "./folder.ts";

/** Speaks HTTP/2, takes every call, and answers none. */
const server = createServer();
const sessions = new Set<ServerHttp2Session>();
const asked = new Set<string>();
let transport: Transport;
beforeAll(async () => {
  server.on("session", (session) => void sessions.add(session));
  server.on("stream", (stream, { ":path": path = "" }) => {
    asked.add(path.replace(/^.*\//, ""));
    stream.on("error", () => undefined).resume();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  transport = tcpTransport("127.0.0.1", (server.address() as AddressInfo).port);
});
afterAll(() => {
  for (const session of sessions) session.destroy();
  server.close();
});
afterEach(() => {
  vi.useRealTimers();
  asked.clear();
});

test.each<[string, number, (client: BuildKit) => Promise<unknown>]>([
  ["who it is", 60, (client) => client.workers()],
  ["what it can do", 60, (client) => client.capabilities()],
  ["whether it exports images", 60, (client) => client.hasExporter("image")],
  ["what its cache holds", 60, (client) => client.diskUsage()],
  ["what it removed of its cache", 600, (client) => client.prune()],
])("a builder that never says %s is lost after %i s", async (_what, seconds, ask) => {
  await using client = await openBuildKit(transport);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const ends: unknown[] = [];
  void ask(client).then(
    (answer) => ends.push({ answer }),
    (error: unknown) => ends.push(error),
  );
  await vi.advanceTimersByTimeAsync((seconds - 1) * 1_000);
  expect(ends).toEqual([]);
  for (let turns = 0; ends.length === 0 && turns < 10_000; turns += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    await immediate();
  }
  expect(ends[0]).toBeInstanceOf(BuilderLost);
  expect(String(ends[0])).toContain(`did not answer within ${seconds} s. See whether`);
  // An Engine 20.10 ends no reports of a question whose answer is no: they would be waited for two seconds.
  expect(asked).not.toContain("Status");
});

test("a build is cancelled though its builder never says what it can do", async () => {
  await using client = await openBuildKit(transport);
  const cancel = new AbortController();
  const contextDir = aFolder({ Dockerfile: "FROM scratch\n" });
  const options = { contextDir, dockerfilePath: "Dockerfile", tags: [], signal: cancel.signal };
  const build = buildDockerfile(client, options);
  setImmediate(() => cancel.abort());
  await expect(build).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
});
