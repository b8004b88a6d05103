import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { openTlsBuilder } from "@starform/testkit/tls-builder";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBaseImages, type BaseImages } from "../src/base-images.ts";
import { buildDockerfile } from "../src/build-dockerfile.ts";
import { BuilderLost } from "../src/builder-lost.ts";
import { openBuildKit } from "../src/client.ts";
import { dockerTransport, tlsTransport, type Transport } from "../src/transport.ts";
import { aFolder, commandLines } from "./folder.ts";

describe.skipIf(!requireEngineInCi())("a builder that goes away", () => {
  let engine: DockerEngine;
  let bases: BaseImages;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    engine = stack.use(await openDockerEngine());
    const cacheDir = mkdtempSync(join(tmpdir(), "starform-bases-"));
    stack.defer(() => rmSync(cacheDir, { recursive: true, force: true }));
    const options = { cacheDir, nodeVersion: "24", form: "host", log: () => undefined } as const;
    bases = await ensureBaseImages(engine.socketPath, options);
  }, 180_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  /** A build whose step prints "started" and then sleeps for so many seconds. */
  async function lostBuild(transport: Transport, seconds: string, onStarted: () => void): Promise<unknown> {
    await using client = await openBuildKit(transport);
    return await buildDockerfile(client, {
      contextDir: aFolder({ Dockerfile: `FROM ${bases.builder}\nRUN echo started; sleep ${seconds}\n` }),
      dockerfilePath: "Dockerfile",
      tags: [],
      noCache: true,
      onLog: ({ text }) => void (text === "started" && onStarted()),
    }).catch((error: unknown) => error);
  }

  test("is told from a build at fault, and runs nothing of it any more", async () => {
    await using machine = await openTlsBuilder(engine.socketPath);
    // The engine's own socket is known for the exporter; the connection is the one that is cut.
    const transport = { ...tlsTransport(machine.endpoint), engineSocket: engine.socketPath };
    const seconds = asleep();
    const error = await lostBuild(transport, seconds, () => machine.cut());
    expect(error).toBeInstanceOf(BuilderLost);
    await until("the step is gone", () => !commandLines().some((line) => line.includes(`sleep ${seconds}`)));
  });

  test("is told where only the connection is lost on which it asks for files and secrets", async () => {
    const sockets: { destroy(): void }[] = [];
    const plain = dockerTransport(engine.socketPath);
    const transport: Transport = {
      ...plain,
      async openSession(offer) {
        const socket = await plain.openSession!(offer);
        sockets.push(socket);
        return socket;
      },
    };
    const seconds = asleep();
    const error = await lostBuild(transport, seconds, () => sockets.forEach((socket) => socket.destroy()));
    expect(error).toBeInstanceOf(BuilderLost);
    await until("the step is gone", () => !commandLines().some((line) => line.includes(`sleep ${seconds}`)));
  });

  test("is told where nothing answers at all", async () => {
    await expect(openBuildKit(dockerTransport("/nowhere/docker.sock"))).rejects.toBeInstanceOf(BuilderLost);
  });
});

/** A time to sleep that no other test on this machine sleeps. */
const asleep = (): string => String(7_000_000 + Math.trunc(Math.random() * 1e6));
