import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Deployment } from "@starform/contract/deployments";
import type { LogEntry } from "@starform/contract/logs";
import type { createRegistryPassword } from "@starform/contract/registries";
import type { CronRun, Service } from "@starform/contract/services";
import type { Change } from "@starform/contract/deployments";
import { until } from "@starform/std/retry";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { runtimes } from "@starform/testkit/runtimes";
import { storyApp } from "@starform/testkit/story-app";
import { openTerminal, outcomeOf, writeFiles, type Terminal } from "@starform/testkit/terminal";
import { untilAnswers, visit } from "@starform/testkit/visit";
import type { z } from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const patience = { withinMs: 90_000, everyMs: 200 };
const secret = "correct horse battery staple";

describe.each(runtimes())("the first app, on the runtime $name", ({ name: runtime }) => {
  let platform: Platform;
  let person: Terminal;
  let folder: string;
  const url = () => `http://greeter-greeter.${platform.appsDomain}`;
  const at = () => ({ cwd: folder });
  const deployments = () => person.json<Deployment[]>(["deployments"], at());
  const service = async () => (await person.json<{ services: Service[] }>(["status"], at())).services[0]!;
  const instances = async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => visit(url(), { path: "/instance" })));
    return new Set(answers.map(({ body }) => body));
  };

  beforeAll(async () => {
    platform = await openPlatform({ runtime });
    person = openTerminal(platform);
    folder = person.folder("greeter", storyApp({ version: "v1" }));
    // It is due with the next minute, so it is made first and looked at last.
    const cron = person.folder("clock", {
      Procfile: "cron: node tick.mjs\n",
      "tick.mjs": `console.log("tick");\n`,
    });
    await person.deploy(["up", "--yes", "--type", "cron", "--schedule", "* * * * *"], { cwd: cron });
  });
  afterAll(async () => {
    person?.[Symbol.dispose]();
    await platform?.[Symbol.asyncDispose]();
  });

  test("up in a folder that nobody linked makes a project, and ends with the outcome and the live URL", async () => {
    const ran = await person.starform(["up", "--yes", "--json"], at());
    expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 });
    expect(outcomeOf(ran)).toEqual({
      deploymentId: expect.any(String),
      status: "deployed",
      url: url(),
      imageDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      durationMs: expect.any(Number),
    });
    expect((await untilAnswers(url(), "v1")).body).toBe("v1 nobody ");
    expect((await visit(url(), { method: "POST", body: "a parcel" })).body).toBe("v1 nobody a parcel");
  });

  test("git push streams the build, prints the URL and serves what was pushed", async () => {
    writeFiles(folder, storyApp({ version: "v2" }));
    await person.commit(folder, "Say v2");
    expect(await person.starform(["git", "remote", "--yes"], at())).toMatchObject({ code: 0 });
    const pushed = await person.git(["push", "starform", "main"], at());
    expect({ ...pushed, stderr: pushed.stderr.replaceAll(/^remote: /gm, "") }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/Procfile[\s\S]*deployed: http/),
    });
    expect(pushed.stderr).toContain(`deployed: ${url()}`);
    await untilAnswers(url(), "v2 nobody");
    const [latest] = await deployments();
    expect(latest).toMatchObject({
      trigger: "push",
      isActive: true,
      commit: { message: "Say v2", ref: "main" },
    });
  });

  test("a variable that is set is live at once, without a build", async () => {
    const [before] = await deployments();
    await person.json(["variables", "set", "GREETING=world"], at());
    await untilAnswers(url(), "v2 world");
    const [after] = await deployments();
    expect(after).toMatchObject({ trigger: "variables", imageDigest: before!.imageDigest });
  });

  test("a secret reaches the app, and is in no log, image or answer", async () => {
    const set = await person.starform(["variables", "set", "TOKEN", "--stdin", "--secret", "--json"], {
      ...at(),
      input: secret,
    });
    expect(set).toMatchObject({ code: 0 });
    const digest = createHash("sha256").update(secret).digest("hex");
    await untilAnswers(url(), digest, { path: "/digest/TOKEN" });
    const shown = await person.starform(["variables", "--json"], at());
    expect(set.stdout + shown.stdout).not.toContain(secret);
    expect((await person.json<{ value: string }>(["variables", "reveal", "TOKEN"], at())).value).toBe(secret);
    const looked = ["logs", "images", "sources", "git", "gateway"].map((name) =>
      join(platform.dataDir, name),
    );
    const found = filesHolding(looked, secret);
    expect(found.lookedAt).toBeGreaterThan(10);
    expect(found.files).toEqual([]);
  });

  test("logs show what the app, its build and its visitors said", async () => {
    await visit(url(), { path: "/a-page-of-its-own" });
    const lines =
      (...flags: string[]) =>
      async () => {
        const { stdout } = await person.starform(["logs", "--json", ...flags], at());
        const entries = stdout
          .trim()
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line) as LogEntry);
        return entries.length > 0 && entries;
      };
    const [said] = await until("the app's line", lines("--filter", "a-page-of-its-own"), patience);
    expect(said).toMatchObject({ stream: "stdout", message: "GET /a-page-of-its-own", level: "info" });
    const [visited] = await until("the visit", lines("--http", "--filter", "a-page-of-its-own"), patience);
    expect(visited).toMatchObject({
      stream: "http",
      attributes: { status: 200, path: "/a-page-of-its-own" },
    });
    const [{ number } = { number: 0 }] = (await deployments()).filter(({ trigger }) => trigger === "push");
    const built = await until("the build's lines", lines("--build", String(number)), patience);
    expect(built.map(({ stream }) => stream)).toEqual(built.map(() => "build"));
  });

  test("scale adds an instance beside the first, and restart replaces both", async () => {
    const [first] = await instances();
    await person.json(["scale", "greeter=2"], at());
    const two = await until(
      "two instances",
      async () => {
        const seen = await instances();
        return seen.size === 2 && seen;
      },
      patience,
    );
    expect([...two]).toContain(first);
    await until("both to be told", async () => (await service()).health.readyReplicas === 2, patience);
    await person.json(["restart"], at());
    const fresh = await until(
      "two fresh instances",
      async () => {
        const seen = await instances();
        return seen.size === 2 && [...seen].every((one) => !two.has(one)) && seen;
      },
      patience,
    );
    expect(fresh.size).toBe(2);
    await person.json(["scale", "1"], at());
    await until("one to be left", async () => (await instances()).size === 1, patience);
  });

  test("an app that exits fails its deployment with the reason and exit code 1, and the old version keeps serving", async () => {
    writeFiles(folder, storyApp({ version: "v3", exitsWith: 3 }));
    await person.commit(folder, "Forget the configuration");
    const pushed = await person.git(["push", "starform", "main"], at());
    expect(pushed.stderr).toMatch(/failed: exited with code 3 .*the configuration is missing/);
    const ran = await person.starform(["up", "--json"], at());
    expect({ code: ran.code, status: outcomeOf(ran).status }).toEqual({ code: 1, status: "failed" });
    expect(ran.stdout).toContain("exited with code 3");
    const [latest] = await deployments();
    expect(latest).toMatchObject({ status: "failed", isActive: false });
    expect((await visit(url())).body).toBe("v2 world ");
  });

  test("rollback brings back the first answer and its variables, and diff tells what changed", async () => {
    const before = await deployments();
    const first = before.find(({ number }) => number === 1)!;
    const withSecret = before.find(({ trigger, isActive }) => isActive && trigger === "variables")!;
    const back = await person.deploy(["rollback", "1"], at());
    expect(back.imageDigest).toBe(first.imageDigest);
    expect((await untilAnswers(url(), "v1")).body).toBe("v1 nobody ");
    expect((await deployments())[0]).toMatchObject({ trigger: "rollback", rollbackOf: first.id });
    const diff = await person.json<{ changes: z.infer<typeof Change>[] }>(
      ["diff", "1", String(withSecret.number)],
      at(),
    );
    const paths = Object.fromEntries(diff.changes.map(({ path, after }) => [path, after]));
    expect(paths).toMatchObject({
      "variables.GREETING": "world",
      "variables.TOKEN": expect.stringMatching(/^sha256:/),
    });
  });

  test("a worker runs without a port, and a cron runs on time and is in its history", async () => {
    const worker = person.folder("digger", {
      Procfile: "worker: node dig.mjs\n",
      "dig.mjs": `setInterval(() => console.log("digging"), 500);\n`,
    });
    const outcome = await person.deploy(["up", "--yes", "--type", "worker"], { cwd: worker });
    expect(outcome).toMatchObject({ status: "deployed", url: "" });
    await until(
      "the worker's lines",
      async () => {
        const { stdout } = await person.starform(["logs", "--json"], { cwd: worker });
        return stdout.includes("digging");
      },
      patience,
    );
    const cron = { cwd: join(person.home, "clock") };
    const run = await until(
      "a run of the cron",
      async () => {
        const runs = await person.json<z.infer<typeof CronRun>[]>(["cron", "runs"], cron);
        return runs.find(({ outcome: ended }) => ended === "succeeded");
      },
      patience,
    );
    expect(new Date(run.scheduledFor).getUTCSeconds()).toBe(0);
    const { stdout } = await person.starform(["logs", "--json", "--filter", "tick"], cron);
    expect(stdout).toContain("tick");
  });

  test.runIf(runtime === "docker")(
    "an image that somebody pushed is deployed by its tag, again when the tag has moved, and rolled back to",
    async () => {
      await person.json(["services", "create", "prebuilt"], at());
      const of = (...words: string[]) => [...words, "--service", "prebuilt"];
      const { host, username, password, images } = await person.json<RegistryPassword>(
        of("registries", "password", "--push"),
        at(),
      );
      const image = `${images["prebuilt"]}:by-hand`;
      await person.docker(["login", host, "--username", username, "--password-stdin"], { input: password });
      const [{ imageDigest } = { imageDigest: null }] = (await deployments()).filter(
        ({ isActive }) => isActive,
      );
      await person.docker(["tag", imageDigest!, image]);
      await person.docker(["push", image]);
      await person.json(["services", "update", "prebuilt", "--image", image], at());
      const first = await person.deploy(of("redeploy"), at());
      expect((await untilAnswers(first.url, "v1")).body).toBe("v1 nobody ");

      const changed = person.folder("changed", {
        ...storyApp({ version: "v4" }),
        Dockerfile: `FROM ${image}\nCOPY server.mjs .\n`,
      });
      await person.docker(["build", "--tag", image, changed]);
      await person.docker(["push", image]);
      const second = await person.deploy(of("redeploy"), at());
      expect(second.imageDigest).not.toBe(first.imageDigest);
      expect((await untilAnswers(first.url, "v4")).body).toBe("v4 nobody ");

      const back = await person.deploy(of("rollback"), at());
      expect(back.imageDigest).toBe(first.imageDigest);
      expect((await untilAnswers(first.url, "v1")).body).toBe("v1 nobody ");
    },
  );
});

type RegistryPassword = z.infer<typeof createRegistryPassword.response> & {
  readonly images: Readonly<Record<string, string>>;
};

/** The files below the folders that hold the text, and how many there are. */
function filesHolding(folders: readonly string[], text: string): { files: string[]; lookedAt: number } {
  const all = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return { files: all.filter((path) => readFileSync(path).includes(text)), lookedAt: all.length };
}
