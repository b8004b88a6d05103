import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBaseImages, type BaseImages } from "../src/base-images.ts";
import { buildDockerfile } from "../src/build-dockerfile.ts";
import { BuildFailed } from "../src/build-failed.ts";
import { buildPlan, type Plan } from "../src/build-plan.ts";
import type { BuildOptions } from "../src/built-image.ts";
import { openBuildKit, type BuildKit } from "../src/client.ts";
import type { BuildEvent } from "../src/progress.ts";
import { dockerTransport, tlsTransport } from "../src/transport.ts";
import { engineImages } from "./engine-images.ts";
import { aFolder, commandLines } from "./folder.ts";
import { openTlsBuilder } from "@starform/testkit/tls-builder";

describe.skipIf(!requireEngineInCi())("BuildKit of a Docker Engine", () => {
  let engine: DockerEngine;
  let client: BuildKit & AsyncDisposable;
  let bases: BaseImages;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    engine = stack.use(await openDockerEngine());
    const cacheDir = mkdtempSync(join(tmpdir(), "starform-bases-"));
    stack.defer(() => rmSync(cacheDir, { recursive: true, force: true }));
    bases = await ensureBaseImages(engine.socketPath, {
      cacheDir,
      nodeVersion: "24",
      form: "host",
      log: () => undefined,
    });
    client = stack.use(await openBuildKit(dockerTransport(engine.socketPath)));
  }, 180_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  const images = () => engineImages(engine.socketPath);

  // Before all others: seen to pass after them whether the builds share their base or not, and to fail here where they do.
  test(
    "finds its steps again while another build on the same base still runs",
    { timeout: 180_000 },
    async () => {
      const contextDir = aFolder({ "server.js": "" });
      const build = (cmd: string, onStep: (text: string) => void, signal?: AbortSignal) =>
        buildPlan(client, {
          contextDir,
          plan: aPlan({ cmd }),
          bases,
          cacheNamespace: "w1",
          tags: [],
          ...(signal && { signal }),
          onLog: ({ step, stream, text }) => {
            if (stream === "status" && step === "install: make it") onStep(text);
          },
        });
      const [begun, cancel] = [Promise.withResolvers<void>(), new AbortController()];
      const other = build("sleep 300", () => begun.resolve(), cancel.signal);
      const isOver = other.then(
        () => "built",
        () => "cancelled",
      );
      await begun.promise;
      const [first, second]: [string[], string[]] = [[], []];
      const cmd = `echo ${randomUUID()}`;
      await build(cmd, (text) => first.push(text));
      await build(cmd, (text) => second.push(text));
      cancel.abort();
      expect(await isOver).toBe("cancelled");
      expect(first).toContain("done");
      expect(second).toContain("cached");
      expect(second).not.toContain("done");
    },
  );

  test("builds a Dockerfile with its arguments, and leaves out what is ignored", async () => {
    const contextDir = aFolder({
      Dockerfile: `# syntax=docker/dockerfile:1\nFROM ${bases.builder}\nARG GREETING\nCOPY . /app\nENV GREETING=$GREETING\nCMD ["sh", "-c", "echo $GREETING; cd /app; find . -type f | sort; cat link"]\n`,
      ".dockerignore": "ignored\n*.log\n!kept.log\n",
      "src/a file.txt": "linked\n",
      ignored: "no",
      "build.log": "no",
      "kept.log": "yes",
      "given-ignore": "no",
    });
    symlinkSync("src/a file.txt", join(contextDir, "link"));
    const built = await buildDockerfile(client, {
      contextDir,
      dockerfilePath: "Dockerfile",
      ignore: ["given-ignore"],
      buildArgs: { GREETING: "hello" },
      tags: ["starform.local/p/dockerfile:1"],
    });
    expect(built.imageId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(built.sizeBytes).toBeGreaterThan(1_000_000);
    const printed = await images().output(built.imageId);
    expect(printed).toBe("hello\n./.dockerignore\n./Dockerfile\n./kept.log\n./src/a file.txt\nlinked\n");
  });

  test("shares a Dockerfile's cache mounts within their namespace only, whatever its arguments say", async () => {
    const found: string[] = [];
    const build = (cacheNamespace: string, buildArgs: Readonly<Record<string, string>> = {}) =>
      buildDockerfile(client, {
        contextDir: aFolder({
          Dockerfile: `FROM ${bases.builder}\nRUN --mount=type=cache,target=/cache ls /cache; touch /cache/${cacheNamespace.replace("/", "-")}; : ${randomUUID()}\n`,
        }),
        dockerfilePath: "Dockerfile",
        tags: [],
        cacheNamespace,
        buildArgs,
        onLog: ({ stream, text }) => {
          if (stream === "stdout") found.push(`${cacheNamespace} sees ${text}`);
        },
      });
    await build("w1/p1");
    await build("w2/p2");
    await build("w3/p3", { BUILDKIT_CACHE_MOUNT_NS: "w1/p1" });
    await build("w1/p1");
    expect(found).toEqual(["w1/p1 sees w1-p1"]);
  });

  test("gives steps addresses by name, and finds them again whatever these are", async () => {
    const nonce = randomUUID();
    const address = (last: string) => ({ "of-a-build.example": `fd5f:8000::${last}` });
    const plan = aPlan({ cmd: `sh -c 'grep of-a-build /etc/hosts; echo ${nonce}'` });
    const file = `FROM ${bases.builder}\nRUN grep of-a-build /etc/hosts; echo ${nonce}\n`;
    const folders = { contextDir: aFolder({ "server.js": "", Dockerfile: file }), cacheNamespace: "w1" };
    const ways = {
      plan: (more: Partial<BuildOptions>) =>
        buildPlan(client, { ...folders, plan, bases, tags: [], ...more }),
      dockerfile: (more: Partial<BuildOptions>) =>
        buildDockerfile(client, { ...folders, dockerfilePath: "Dockerfile", tags: [], ...more }),
    };
    for (const build of Object.values(ways)) {
      const events: BuildEvent[] = [];
      const onLog = (event: BuildEvent) => void events.push(event);
      const { imageId } = await build({ hosts: address("1"), onLog });
      expect(events.map(({ text }) => text).join("\n")).toContain("fd5f:8000::1\tof-a-build.example");
      events.length = 0;
      expect((await build({ hosts: address("2"), onLog })).imageId).toBe(imageId);
      expect(events.filter(({ stream }) => stream === "stdout")).toEqual([]);
      expect(events.some(({ cached }) => cached)).toBe(true);
    }
  });

  test("sends only files that changed since the last build", async () => {
    const contextDir = aFolder({
      Dockerfile: "FROM scratch\nCOPY . /\n",
      one: "1",
      two: "2",
      "dir/three": "3",
    });
    const sent: number[] = [];
    const build = () =>
      client.solve({
        source: { frontend: "dockerfile.v0", attrs: { cmdline: "dockerfile.v0" } },
        services: {
          sharedKey: "only-changes",
          dirs: {
            context: { path: contextDir, onSent: ({ files }) => sent.push(files) },
            dockerfile: { path: contextDir },
          },
        },
      });
    await build();
    await build();
    writeFileSync(join(contextDir, "two"), "two, changed");
    await build();
    const contextTransfers = sent.filter((_, at) => at % 2 === 1);
    expect(contextTransfers).toEqual([4, 0, 1]);
  });

  test("builds a plan into an image that runs its start command", async () => {
    const contextDir = aFolder({
      "package.json": '{"name":"app"}',
      "server.js": "console.log(process.env.MODE, require('fs').readdirSync('/app').join())",
      secret: "not for the image",
    });
    const built = await buildPlan(client, {
      contextDir,
      plan: aPlan(),
      bases,
      cacheNamespace: "w1",
      tags: ["starform.local/p/plan:1"],
    });
    expect(await images().output(built.imageId)).toBe("production made.txt,package.json,server.js\n");
    const config = await images().config(built.imageId);
    expect(config.Cmd).toEqual(["node server.js"]);
    expect(config.Env).toContain(
      "PATH=/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );

    const events: BuildEvent[] = [];
    const again = await buildPlan(client, {
      contextDir,
      plan: aPlan(),
      bases,
      cacheNamespace: "w1",
      tags: [],
      onLog: (event) => events.push(event),
    });
    expect(again.imageId).toBe(built.imageId);
    expect(events.find(({ step, cached }) => step === "install: make it" && cached)).toBeDefined();
  });

  test("keeps secrets out of layers, history and log, and runs a step again when its secret changes", async () => {
    const contextDir = aFolder({ "server.js": "" });
    const value = `line one\n${randomUUID()}`;
    const events: BuildEvent[] = [];
    const plan = aPlan({ cmd: 'sh -c \'printf %s "$TOKEN" | wc -c; test -z "$OTHER"\'', secrets: ["TOKEN"] });
    const build = (secret: string) =>
      buildPlan(client, {
        contextDir,
        plan,
        bases,
        cacheNamespace: "w1",
        secrets: { TOKEN: secret, OTHER: "x" },
        tags: [],
        onLog: (event) => events.push(event),
      });
    const built = await build(value);
    expect(events.find(({ stream }) => stream === "stdout")?.text).toBe(String(value.length));
    const [, hidden = ""] = value.split("\n");
    expect(JSON.stringify([events, await images().history(built.imageId)])).not.toContain(hidden);
    expect((await images().bytes(built.imageId)).includes(hidden)).toBe(false);

    events.length = 0;
    await build("short");
    expect(events.find(({ stream }) => stream === "stdout")?.text).toBe("5");
  });

  test("names the failed step, its exit code and its last lines", async () => {
    const contextDir = aFolder({ "server.js": "" });
    const plan = aPlan({ cmd: "sh -c 'echo almost; echo \"no such module\" >&2; exit 7'" });
    const failure = await buildPlan(client, {
      contextDir,
      plan,
      bases,
      cacheNamespace: "w1",
      tags: [],
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BuildFailed);
    expect(failure).toMatchObject({ exitCode: 7, step: "install: make it" });
    expect((failure as BuildFailed).lastLines).toEqual(expect.arrayContaining(["almost", "no such module"]));
    expect((failure as BuildFailed).message).toBe(
      'the step "install: make it" failed: it ended with exit code 7',
    );
  });

  test("says what is wrong with a Dockerfile", async () => {
    const missing = buildDockerfile(client, {
      contextDir: aFolder({}),
      dockerfilePath: "Dockerfile",
      tags: [],
    });
    await expect(missing).rejects.toThrow("there is no Dockerfile in the source");
    const contextDir = aFolder({ Dockerfile: "FROM scratch\nCOPY nowhere /\n" });
    const wrong = await buildDockerfile(client, { contextDir, dockerfilePath: "Dockerfile", tags: [] }).catch(
      (error: unknown) => error,
    );
    expect(wrong).toBeInstanceOf(BuildFailed);
    expect((wrong as BuildFailed).message).toContain("nowhere");
  });

  test("a cancelled build ends in under a second, with nothing left running", async () => {
    const took: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const marker = `sleep 8${Math.trunc(Math.random() * 1e8)}`;
      const [stop, abortedAt] = [new AbortController(), Promise.withResolvers<number>()];
      const build = buildDockerfile(client, {
        contextDir: aFolder({ Dockerfile: `FROM ${bases.builder}\nRUN echo started; ${marker}\n` }),
        dockerfilePath: "Dockerfile",
        tags: [],
        signal: stop.signal,
        onLog: ({ text }) => {
          if (text !== "started") return;
          abortedAt.resolve(performance.now());
          stop.abort();
        },
      });
      await expect(build).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
      const isLeft = () => commandLines().some((line) => line.replaceAll("\0", " ").includes(marker));
      await until("the step is gone", () => !isLeft());
      took.push(performance.now() - (await abortedAt.promise));
    }
    expect(took.toSorted((one, other) => one - other)[2]).toBeLessThan(1_000);
    expect((await client.workers()).length).toBe(1);
  });

  test("a build that is cancelled while its image is exported ends in under a second, and leaves no image", async () => {
    const tag = `starform.local/p/cancelled:${randomUUID()}`;
    const stop = new AbortController();
    let abortedAt = 0;
    const before = await images().untagged();
    // Large enough for an export of seconds, which the engine goes through with.
    const large = `RUN head -c 600000000 /dev/zero > /${randomUUID()}`;
    await using own = await openBuildKit(dockerTransport(engine.socketPath));
    const build = buildDockerfile(own, {
      contextDir: aFolder({ Dockerfile: `FROM ${bases.builder}\n${large}\n` }),
      dockerfilePath: "Dockerfile",
      tags: [tag],
      signal: stop.signal,
      onLog: ({ step }) => {
        if (!step.startsWith("exporting") || abortedAt > 0) return;
        abortedAt = performance.now();
        stop.abort();
      },
    });
    await expect(build).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(performance.now() - abortedAt).toBeLessThan(1_000);
    await until("the image is taken away", async () => (await images().untagged()) > before, {
      withinMs: 60_000,
    });
    expect(await images().has(tag)).toBe(false);
  });

  test("works the same over mutual TLS, and is refused without a certificate", async () => {
    await using builder = await openTlsBuilder(engine.socketPath);
    await using remote = await openBuildKit(tlsTransport(builder.endpoint));
    const canExport = await remote.hasExporter("image");
    const contextDir = aFolder({
      Dockerfile: `FROM ${bases.builder}\nCOPY file /file\nRUN --mount=type=secret,id=KEY cat /run/secrets/KEY | wc -c\n`,
      file: "over tls",
    });
    const events: BuildEvent[] = [];
    const built = await buildDockerfile(remote, {
      contextDir,
      dockerfilePath: "Dockerfile",
      tags: ["starform.local/p/tls:1"],
      secrets: { KEY: "four" },
      onLog: (event) => events.push(event),
    });
    expect(events.find(({ stream }) => stream === "stdout")?.text).toBe("4");
    expect(await images().output(built.digest, ["cat", "/file"])).toBe("over tls");
    expect(canExport).toBe(await client.hasExporter("image"));
    expect((await remote.capabilities()).llb.has("source.local")).toBe(true);

    const stranger = await openBuildKit(tlsTransport({ ...builder.endpoint, cert: "", key: "" })).then(
      async (found) => {
        await using refused = found;
        return refused.workers().then(
          () => "accepted",
          () => "refused",
        );
      },
      () => "refused",
    );
    expect(stranger).toBe("refused");
  });

  test("prunes cached work that nobody uses", async () => {
    const contextDir = aFolder({
      Dockerfile: `FROM ${bases.builder}\nRUN head -c 3000000 /dev/urandom > /prunable\n`,
    });
    await buildDockerfile(client, { contextDir, dockerfilePath: "Dockerfile", tags: [] });
    const ours = (await client.diskUsage()).filter(({ description }) => description.includes("prunable"));
    expect(ours.length).toBe(1);
    const removed = await client.prune({ all: true });
    expect(removed.length).toBeGreaterThan(0);
    expect((await client.diskUsage()).length).toBeLessThan(removed.length);
  });
});

/** The shape of the plans our planner makes: tools, an install step, a build step, a deploy image of their results. */
function aPlan({
  cmd = "sh -c 'echo made > made.txt; mkdir -p dropped; ls'",
  secrets = [] as string[],
} = {}): Plan {
  return {
    steps: [
      {
        name: "packages:mise",
        inputs: [{ image: "ghcr.io/railwayapp/railpack-builder:mise-2026.8.6" }],
        assets: { toml: '[tools]\nnode = "24"\n' },
        commands: [{ path: "/etc/mise/config.toml", name: "toml" }, { cmd: "mise install" }],
      },
      {
        name: "install",
        inputs: [{ step: "packages:mise" }],
        caches: ["npm"],
        secrets,
        commands: [
          { src: "package.json", dest: "package.json" },
          { src: "absent.json", dest: "absent.json" },
          { cmd, customName: "make it" },
        ],
      },
      {
        name: "build",
        inputs: [{ step: "install" }, { local: true, include: ["."] }],
        commands: [{ cmd: "node --version" }],
      },
    ],
    caches: { npm: { directory: "/root/.npm", type: "shared" } },
    secrets: ["TOKEN"],
    exclude: ["secret"],
    deploy: {
      base: { image: "ghcr.io/railwayapp/railpack-runtime:mise-2026.8.6" },
      inputs: [
        { step: "packages:mise", include: ["/mise/installs", "/nowhere/at/all"] },
        { step: "build", include: ["made.txt", "missing"] },
        { step: "build", include: ["."], exclude: ["made.txt", "dropped"] },
      ],
      startCommand: "node server.js",
      variables: { MODE: "production" },
      paths: ["/app/bin"],
    },
  };
}
