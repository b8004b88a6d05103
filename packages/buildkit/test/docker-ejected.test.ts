import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ejectDockerfile, ejectedIgnores } from "@starform/build-plan/eject-dockerfile";
import { planSource } from "@starform/build-plan/plan-source";
import { openDockerEngine, requireEngineInCi, type DockerEngine } from "@starform/testkit/docker-engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureBaseImages, type BaseImages } from "../src/base-images.ts";
import { buildPlan } from "../src/build-plan.ts";
import { openBuildKit } from "../src/client.ts";
import { dockerTransport } from "../src/transport.ts";
import { engineImages } from "./engine-images.ts";

/** Debian's own, which builds with BuildKit without a plugin; else whatever this machine calls docker. */
const docker = existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker";
const examples = fileURLToPath(new URL("../../../examples", import.meta.url));
/** All that an image may differ in, but for the times of its files: names, modes, links, contents. */
const everyFile =
  "cd / && find app mise root etc/mise -printf '%p %m %l\\n' | sort && find app mise root etc/mise -type f | sort | xargs -d '\\n' sha256sum";

describe.skipIf(!requireEngineInCi())("an ejected Dockerfile", () => {
  const stack = new AsyncDisposableStack();
  let engine: DockerEngine;
  let bases: BaseImages;
  let dir: string;

  beforeAll(async () => {
    engine = stack.use(await openDockerEngine());
    dir = mkdtempSync(join(tmpdir(), "starform-ejected-"));
    stack.defer(() => rmSync(dir, { recursive: true, force: true }));
    bases = await ensureBaseImages(engine.socketPath, {
      cacheDir: join(dir, "bases"),
      nodeVersion: "24",
      form: "host",
      log: () => undefined,
    });
  }, 180_000);
  afterAll(() => stack.disposeAsync(), 60_000);

  test.each([
    { app: "express", has: "packages" },
    { app: "static", has: "files of the plan's own" },
    { app: "worker-and-cron/worker", has: "no packages" },
  ])(
    "gives docker build the image that the plan gives ($app: $has)",
    { timeout: 180_000 },
    async ({ app }) => {
      const source = mkdtempSync(join(dir, "app-"));
      cpSync(join(examples, app), source, {
        recursive: true,
        filter: (path) => !path.includes("node_modules"),
      });
      const outcome = await planSource(source);
      if (!outcome.ok || outcome.kind !== "plan") throw new Error(`${app} has no plan`);
      const ours = "starform.local/ejected/ours:1";
      await using client = await openBuildKit(dockerTransport(engine.socketPath));
      await buildPlan(client, {
        contextDir: source,
        plan: outcome.plan,
        bases,
        cacheNamespace: "ejected",
        tags: [ours],
      });
      writeFileSync(join(source, "Dockerfile"), ejectDockerfile(outcome.plan));
      writeFileSync(join(source, ".dockerignore"), ejectedIgnores(outcome.plan).join("\n"));
      const dockers = "starform.local/ejected/docker:1";
      await dockerBuild(source, dockers);

      const images = engineImages(engine.socketPath);
      const [a, b] = [await images.config(ours), await images.config(dockers)];
      const run = ({ Env, Cmd, Entrypoint, WorkingDir }: typeof a) => ({
        env: Env.toSorted(),
        Cmd,
        Entrypoint,
        WorkingDir,
      });
      expect(run(b)).toEqual(run(a));
      const files = await images.output(ours, ["/bin/sh", "-c", everyFile]);
      expect(files.split("\n").length).toBeGreaterThan(4);
      expect(await images.output(dockers, ["/bin/sh", "-c", everyFile])).toBe(files);
    },
  );

  /** As a person would who has none of this repository. */
  const dockerBuild = (source: string, tag: string) =>
    promisify(execFile)(
      docker,
      [
        "build",
        `--build-arg=BUILDER=${bases.builder}`,
        `--build-arg=RUNTIME=${bases.runtime}`,
        "--quiet",
        `--tag=${tag}`,
        source,
      ],
      {
        env: {
          PATH: process.env["PATH"],
          HOME: dir,
          DOCKER_BUILDKIT: "1",
          DOCKER_HOST: `unix://${engine.socketPath}`,
        },
      },
    );
});
