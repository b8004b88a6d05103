import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

const hard = `it's "quoted" at $HOME and \`id\` \\ \nand-a-second-line\n\n`;
const packageJson = (scripts: Record<string, string>) =>
  JSON.stringify({ scripts: { start: "node index.js", ...scripts } });
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

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
      await expectSameImage(source);
    },
  );

  const multiline = "echo one > lines\n# a note\necho two >> lines";
  const only = (secrets: string[], name: string) => ({
    secrets,
    commands: [`echo "\${ONE:+one} \${TWO:+two}" > ${name}`],
  });
  test.each([
    {
      reads: "all variables in its build",
      files: { "package.json": packageJson({ build: 'printf %s "$TOKEN" | sha256sum > digest' }) },
      variables: { TOKEN: "tok-3f9ad0c1", OTHER: "oth-77aa01" },
      holds: { digest: `${sha256("tok-3f9ad0c1")}  -\n` },
    },
    {
      reads: "in each step those that railpack.json allows",
      files: {
        "package.json": packageJson({}),
        "railpack.json": JSON.stringify({
          steps: {
            build: only(["ONE"], "in-build"),
            second: {
              ...only(["TWO"], "in-second"),
              inputs: ["$build"],
              deployOutputs: [{ include: ["in-second"] }],
            },
            third: {
              secrets: [],
              inputs: ["$build"],
              commands: [multiline, 'echo "$ONE$TWO" > in-third'],
              deployOutputs: [{ include: ["in-third", "lines"] }],
            },
          },
        }),
      },
      variables: { ONE: "one-1b1b1b", TWO: "two-2c2c2c" },
      holds: { "in-build": "one \n", "in-second": " two\n", "in-third": "\n", lines: "one\ntwo\n" },
    },
    {
      reads: "a variable of quotes, dollars and several lines",
      files: { "package.json": packageJson({ build: 'printf %s "$HARD" | sha256sum > digest' }) },
      variables: { HARD: hard },
      holds: { digest: `${sha256(hard)}  -\n` },
    },
  ])(
    "gives it too where the build reads $reads, and nothing of its secrets",
    { timeout: 180_000 },
    async ({ files, variables, holds }) => {
      const source = mkdtempSync(join(dir, "app-"));
      for (const [name, text] of Object.entries({ ...files, "index.js": "" }))
        writeFileSync(join(source, name), text);
      const image = await expectSameImage(source, variables);
      const images = engineImages(engine.socketPath);
      for (const [file, text] of Object.entries(holds))
        expect(await images.output(image, ["/bin/cat", `/app/${file}`])).toBe(text);
      const bytes = await images.bytes(image);
      const history = JSON.stringify(await images.history(image));
      // What is looked through is the whole image.
      for (const text of Object.values(holds)) expect(bytes.includes(text)).toBe(true);
      for (const line of Object.values(variables)
        .flatMap((value) => value.split("\n"))
        .filter(Boolean)) {
        expect(bytes.includes(line)).toBe(false);
        expect(history).not.toContain(line);
      }
    },
  );

  /** Builds a source both ways, and answers Docker's image. */
  async function expectSameImage(source: string, variables: Record<string, string> = {}): Promise<string> {
    const outcome = await planSource(source, { variables });
    if (!outcome.ok || outcome.kind !== "plan") throw new Error(`no plan: ${JSON.stringify(outcome)}`);
    const [ours, dockers] = ["starform.local/ejected/ours:1", "starform.local/ejected/docker:1"];
    await using client = await openBuildKit(dockerTransport(engine.socketPath));
    await buildPlan(client, {
      contextDir: source,
      plan: outcome.plan,
      bases,
      cacheNamespace: "ejected",
      secrets: variables,
      tags: [ours],
    });
    writeFileSync(join(source, "Dockerfile"), ejectDockerfile(outcome.plan));
    writeFileSync(join(source, ".dockerignore"), ejectedIgnores(outcome.plan).join("\n"));
    await dockerBuild(source, dockers, variables);

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
    return dockers;
  }

  /** As a person would who has none of this repository. */
  const dockerBuild = (source: string, tag: string, secrets: Record<string, string>) =>
    promisify(execFile)(
      docker,
      [
        "build",
        `--build-arg=BUILDER=${bases.builder}`,
        `--build-arg=RUNTIME=${bases.runtime}`,
        "--quiet",
        ...Object.entries(secrets).map(
          ([name, value]) => `--secret=id=${name},src=${secretFile(name, value)}`,
        ),
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

  function secretFile(name: string, value: string): string {
    mkdirSync(join(dir, "secrets"), { recursive: true });
    writeFileSync(join(dir, "secrets", name), value);
    return join(dir, "secrets", name);
  }
});
