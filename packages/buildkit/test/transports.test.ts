import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { until } from "@starform/std/retry";
import { openBuildkitd } from "@starform/testkit/buildkitd";
import { openDockerEngine, requireEngineInCi } from "@starform/testkit/docker-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDockerfile, type DockerfileBuild } from "../src/build-dockerfile.ts";
import { BuilderLost } from "../src/builder-lost.ts";
import { openBuildKit, type BuildKit } from "../src/client.ts";
import { dockerTransport } from "../src/transport.ts";
import { aFolder, commandLines } from "./folder.ts";
import { relays, type Relay } from "./relay.ts";

type Way = keyof typeof relays;

/** What every way to a builder promises: the client is the same over each. */
function conformance(
  ways: readonly Way[],
  open: () => Promise<{ reach(way: Way): Promise<Duplex> } & AsyncDisposable>,
) {
  const stack = new AsyncDisposableStack();
  const lines = new Map<Way, Relay>();
  let root: string;
  beforeAll(async () => {
    const builder = stack.use(await open());
    const dir = mkdtempSync(join(tmpdir(), "starform-root-"));
    stack.defer(() => rmSync(dir, { recursive: true, force: true }));
    root = aRoot(dir);
    for (const way of ways) lines.set(way, stack.use(await relays[way](() => builder.reach(way))));
  }, 120_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  /** A Dockerfile's build of these lines, on a shell that comes with its source. */
  function build(client: BuildKit, steps: string, more: Partial<DockerfileBuild> = {}): Promise<string[]> {
    const contextDir = aFolder({
      Dockerfile: `FROM scratch\nADD root.tar /\n${steps}\n`,
      file: "of the source ",
    });
    copyFileSync(root, join(contextDir, "root.tar"));
    const printed: string[] = [];
    const onLog: DockerfileBuild["onLog"] = (event) => {
      more.onLog?.(event);
      if (event.stream === "stdout") printed.push(event.text);
    };
    const options = { contextDir, dockerfilePath: "Dockerfile", tags: [], noCache: true, ...more, onLog };
    return buildDockerfile(client, options).then(() => printed);
  }
  const isRunning = (seconds: string) =>
    commandLines().some((line) => line.replaceAll("\0", " ").includes(`sleep ${seconds}`));
  const endless = (seconds: string) => `RUN echo started; sleep ${seconds}`;

  describe.each(ways)("over %s", { timeout: 120_000 }, (way) => {
    const line = (): Relay => lines.get(way)!;

    test("answers what it is asked, and one call beside another", async () => {
      await using client = await openBuildKit(line().transport);
      const [workers, { llb }, usage] = await Promise.all([
        client.workers(),
        client.capabilities(),
        client.diskUsage(),
      ]);
      expect(workers).toHaveLength(1);
      expect(llb.has("source.local")).toBe(true);
      expect(usage).toEqual(expect.any(Array));
    });

    test("fetches files and secrets of this side while it builds", async () => {
      await using client = await openBuildKit(line().transport);
      const reads = "COPY file /file\nRUN --mount=type=secret,id=WORD cat /file /run/secrets/WORD";
      expect(await build(client, reads, { secrets: { WORD: "and a secret" } })).toEqual([
        "of the source and a secret",
      ]);
    });

    test("ends a build that is cancelled, and goes on with the next", async () => {
      await using client = await openBuildKit(line().transport);
      const [seconds, cancel] = [asleep(), new AbortController()];
      const onLog: DockerfileBuild["onLog"] = ({ text }) => void (text === "started" && cancel.abort());
      const cancelled = build(client, endless(seconds), { signal: cancel.signal, onLog });
      await expect(cancelled).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
      await until("the step is gone", () => !isRunning(seconds));
      expect(await build(client, "RUN echo next")).toEqual(["next"]);
    });

    test.each(["cut", "hangUp"] as const)(
      "tells a connection that is lost in the middle: %s",
      async (how) => {
        await using client = await openBuildKit(line().transport);
        const seconds = asleep();
        const onLog: DockerfileBuild["onLog"] = ({ text }) => void (text === "started" && line()[how]());
        await expect(build(client, endless(seconds), { onLog })).rejects.toBeInstanceOf(BuilderLost);
        await until("the step is gone", () => !isRunning(seconds));
      },
    );
  });
}

describe.skipIf(!requireEngineInCi())("the builder of a Docker Engine", () => {
  conformance(["docker", "unix", "tcp", "tls"], async () => {
    const engine = await openDockerEngine();
    const control = dockerTransport(engine.socketPath);
    const reach = async (way: Way) => (way === "docker" ? connect(engine.socketPath) : control.openControl());
    return { reach, [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose]() };
  });
});

/** No Debian has it: `TEST_BUILDKITD=/usr/bin/buildkitd` says where there is one. */
const buildkitd = process.env["TEST_BUILDKITD"] ?? "";
const nobody = { hub: "127.0.0.1:1", registry: "127.0.0.1:2" };
describe.runIf(buildkitd !== "")("a buildkitd of its own", () => {
  conformance(["unix", "tcp", "tls"], async () => {
    const { socketPath, ...builder } = await openBuildkitd(buildkitd, nobody);
    const reach = async () => {
      const socket = connect(socketPath);
      await once(socket, "connect");
      return socket;
    };
    return { reach, [Symbol.asyncDispose]: () => builder[Symbol.asyncDispose]() };
  });
});

/** A shell and what these steps call, as a tar that a Dockerfile unpacks: no registry is needed for it. */
function aRoot(dir: string): string {
  const programs = ["/bin/sh", "/bin/cat", "/bin/sleep"];
  const said = execFileSync("ldd", programs).toString();
  const libraries = new Set([...said.matchAll(/(\/\S+)\s+\(0x/g)].map(([, file]) => file ?? ""));
  mkdirSync(join(dir, "root"));
  execFileSync("cp", ["-L", "--parents", ...programs, ...libraries, join(dir, "root")]);
  execFileSync("tar", ["-C", join(dir, "root"), "-cf", join(dir, "root.tar"), "."]);
  return join(dir, "root.tar");
}

/** A time to sleep that no other test on this machine sleeps. */
const asleep = (): string => String(9_000_000 + (Number.parseInt(randomUUID().slice(0, 8), 16) % 1_000_000));
