import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBaseImages, type BaseImages } from "../src/base-images.ts";
import { buildDockerfile } from "../src/build-dockerfile.ts";
import { openBuildKit, type BuildKit } from "../src/client.ts";
import { define, diff, exec, files, image, merge, type Vertex } from "../src/llb.ts";
import type { BuildEvent } from "../src/progress.ts";
import type { SessionServices } from "../src/session.ts";
import { dockerTransport, tlsTransport } from "../src/transport.ts";
import { aFolder } from "./folder.ts";
import { askAgent, openSshAgent } from "./ssh-agent.ts";
import { openTlsBuilder } from "@starform/testkit/tls-builder";

describe.skipIf(!requireEngineInCi())("what a build may ask of this side", () => {
  let engine: DockerEngine;
  let client: BuildKit & AsyncDisposable;
  let bases: BaseImages;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    engine = stack.use(await openDockerEngine());
    const cacheDir = mkdtempSync(join(tmpdir(), "starform-bases-"));
    stack.defer(() => rmSync(cacheDir, { recursive: true, force: true }));
    const options = { cacheDir, nodeVersion: "24", form: "host", log: () => undefined } as const;
    bases = await ensureBaseImages(engine.socketPath, options);
    client = stack.use(await openBuildKit(dockerTransport(engine.socketPath)));
  }, 180_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  /** What the steps of a graph printed. */
  async function printed(builder: BuildKit, last: Vertex, services: Partial<SessionServices> = {}) {
    const events: BuildEvent[] = [];
    const run = async (bridge: { solve(definition: ReturnType<typeof define>): Promise<string> }) => ({
      ref: await bridge.solve(define(last)),
    });
    await builder.solve(
      { source: { run }, services: { sharedKey: "sessions", ...services } },
      { onProgress: (event) => events.push(event) },
    );
    return events.filter(({ stream }) => stream === "stdout").map(({ text }) => text);
  }

  const running = (script: string, more: Partial<Parameters<typeof exec>[0]> = {}) =>
    exec({
      base: image(bases.builder),
      args: ["/bin/sh", "-c", script],
      env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
      cwd: "/",
      name: script,
      ...more,
    });

  test("lets a step use an SSH agent of this side, each by its name, over the engine and over TLS", async () => {
    await using own = await openSshAgent("own-key");
    await using other = await openSshAgent("other-key");
    const services = { sshAgents: { default: own.socket, other: other.socket } };
    const ask = (id: string) =>
      running(`node -e '${askAgent.replaceAll("'", `'\\''`)}' # ${id}`, { sshAgents: [id] });
    expect((await printed(client, ask("default"), services)).join()).toContain("own-key");
    expect((await printed(client, ask("other"), services)).join()).toContain("other-key");
    await expect(printed(client, ask("unknown"), services)).rejects.toThrow(/unknown/);

    await using machine = await openTlsBuilder(engine.socketPath);
    await using remote = await openBuildKit(tlsTransport(machine.endpoint));
    const again = running(`node -e '${askAgent.replaceAll("'", `'\\''`)}' # tls`, { sshAgents: ["default"] });
    expect((await printed(remote, again, services)).join()).toContain("own-key");
  });

  test("keeps the folders and secrets of many builds at once apart, on one connection", async () => {
    const names = Array.from({ length: 10 }, (_, at) => `build-${at}`);
    const outputs = await Promise.all(
      names.map(async (name) => {
        const lines: string[] = [];
        await buildDockerfile(client, {
          contextDir: aFolder({
            Dockerfile: `FROM ${bases.builder}\nCOPY file /file\nRUN --mount=type=secret,id=WORD cat /file /run/secrets/WORD\n`,
            file: `${name} `,
          }),
          dockerfilePath: "Dockerfile",
          tags: [],
          secrets: { WORD: `secret of ${name}` },
          onLog: ({ stream, text }) => void (stream === "stdout" && lines.push(text)),
        });
        return lines;
      }),
    );
    expect(outputs).toEqual(names.map((name) => [`${name} secret of ${name}`]));
  });

  test("speaks gzip to builders that ask for it", async () => {
    const zipped = { ...dockerTransport(engine.socketPath), encoding: "gzip" as const };
    await using builder = await openBuildKit(zipped);
    const answer = await printed(builder, running("echo zipped")).then(
      (lines) => lines.join(),
      (error: unknown) => String(error),
    );
    // An engine without the decoder says so; one that has it must be understood.
    expect(answer).toMatch(/^zipped$|Decompressor is not installed for grpc-encoding "gzip"/i);
  });

  test("gives a step secrets as variables where the builder says that it can", async () => {
    const { llb } = await client.capabilities();
    const step = running('echo "${#TOKEN}"', { secretEnv: ["TOKEN"] });
    const lines = await printed(client, step, { secrets: { TOKEN: "twelve bytes" } });
    expect(lines).toEqual([llb.has("exec.secretenv") ? "12" : "0"]);
  });

  test("lays trees over each other and takes them apart where the builder says that it can", async (context) => {
    const { llb } = await client.capabilities();
    if (!llb.has("mergeop") || !llb.has("diffop")) return context.skip("this builder does not say so");
    const one = files(undefined, [{ mkfile: { path: "/one", data: "1" } }], "one");
    const two = files(undefined, [{ mkfile: { path: "/two", data: "2" } }], "two");
    const base = image(bases.builder);
    const changed = exec({ base, args: ["touch", "/three"], env: {}, cwd: "/", name: "three" });
    const merged = merge([base, one, two, diff(base, changed, "only three")], "all");
    const looked = printed(client, running("ls /one /two /three", { base: merged }));
    expect(await looked).toEqual(["/one", "/three", "/two"]);
  });
});
