import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { isAlive } from "@starform/std/process";
import { until } from "@starform/std/retry";
import { freePortBase } from "@starform/testkit/platform";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { supervisorOf, type PlatformDescription, type PlatformState } from "../src/data-dir/state.ts";
import { aClone, command } from "./a-clone.ts";

let clone: ReturnType<typeof aClone>;
let base: number;
const flags = () => ["--runtime", "process", "--no-system-packages", "--data-dir", clone.dataDir];
const start = (...more: string[]) =>
  command("start", clone.root, "--detach", "--json", "--port-base", String(base), ...flags(), ...more);
const started = async (...more: string[]) => {
  const { code, stdout, stderr } = await start(...more);
  expect(stderr + (code === 0 ? "" : " failed")).not.toContain("failed");
  return JSON.parse(stdout) as PlatformDescription;
};
const stop = () => command("stop", clone.root, "--json", "--data-dir", clone.dataDir);
const status = async () =>
  JSON.parse(
    (await command("status", clone.root, "--json", "--data-dir", clone.dataDir)).stdout,
  ) as PlatformState & { running: boolean };

const supervisor = () => {
  const pid = supervisorOf(clone.dataDir);
  if (pid === undefined) throw new Error("the platform does not run");
  return pid;
};
const secretsDir = () => join(clone.dataDir, "secrets");
const secrets = () =>
  Object.fromEntries(
    readdirSync(secretsDir()).map((name) => [name, readFileSync(join(secretsDir(), name), "utf8").trim()]),
  );

// One platform serves the tests in their order, because each start costs seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let platform: PlatformDescription;
beforeAll(async () => {
  clone = aClone();
  base = await freePortBase();
  platform = await started();
});
afterAll(async () => {
  await stop();
  clone[Symbol.dispose]();
});

test("start --detach --json prints one object that tells how to use the platform", async () => {
  expect(Object.keys(platform).toSorted()).toEqual([
    "apiUrl",
    "appsDomain",
    "dashboardUrl",
    "dataDir",
    "gatewayUrl",
    "gitUrl",
    "ownerLoginUrl",
    "ownerToken",
    "runtime",
    "stores",
  ]);
  expect(platform).toMatchObject({
    runtime: "process",
    dataDir: clone.dataDir,
    appsDomain: `localhost:${base + 2}`,
    ownerLoginUrl: "http://localhost/sign-in?token=once",
  });
  const { running, processes } = await status();
  expect(running).toBe(true);
  expect(
    processes
      .filter(({ name }) => !["metrics", "registry"].includes(name))
      .map(({ name, state }) => `${name} ${state}`)
      .toSorted(),
  ).toEqual([
    "api ready",
    "gateway ready",
    "postgres ready",
    "shuttle ready",
    "telemetry ready",
    "worker ready",
  ]);
});

test("secrets are readable by their owner only, and are neither in the state nor in the logs", async () => {
  const made = secrets();
  expect(Object.keys(made)).toEqual(
    expect.arrayContaining([
      "encryption.key",
      "session.key",
      "owner-token",
      "cluster-token",
      "telemetry-password",
      "gateway-admin-token",
      "postgres-password",
    ]),
  );
  const modes = Object.keys(made).map((name) => statSync(join(secretsDir(), name)).mode & 0o077);
  expect(modes).toEqual(modes.map(() => 0));
  const logDir = join(clone.dataDir, "logs");
  const shown = [
    JSON.stringify(await status()),
    ...readdirSync(logDir).map((name) => readFileSync(join(logDir, name), "utf8")),
  ].join("\n");
  expect(shown).toContain("ready");
  expect(
    Object.entries(made).filter(([name, secret]) => name !== "cluster-id" && shown.includes(secret)),
  ).toEqual([]);
});

test("a second start in the same data directory is refused with the address of the first", async () => {
  const second = await start();
  expect(second).toMatchObject({ code: 1, stdout: "" });
  expect(second.stderr).toContain(`already runs in ${clone.dataDir} at http://localhost:${base}`);
});

test("a supervisor killed with -9 leaves no process, and the next start serves the same data", async () => {
  const before = secrets();
  const { processes } = await status();
  process.kill(supervisor(), "SIGKILL");
  await started();
  expect(secrets()).toEqual(before);
  await until("the first platform's processes to be gone", () =>
    processes.every(({ pid }) => !isAlive(pid ?? 0)),
  );
});

test("stop leaves nothing running", async () => {
  const { processes } = await status();
  expect((await stop()).code).toBe(0);
  expect(processes.filter(({ pid }) => isAlive(pid ?? 0))).toEqual([]);
  const marks = /\.pid$|^lock|^state\.json/;
  expect(readdirSync(join(clone.dataDir, "run")).filter((name) => marks.test(name))).toEqual([]);
  expect((await status()).running).toBe(false);
});

test("a port in use is told with its number, its holder and the way out, and changes nothing, --fresh or not", async () => {
  const before = { secrets: secrets(), entries: readdirSync(clone.dataDir).toSorted() };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(base + 1, "127.0.0.1", resolve));
  const refused = [
    await start(),
    await start("--fresh"),
    await start("--data-dir", join(clone.root, "new/data")),
  ];
  server.close();
  for (const { code, stderr } of refused) {
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`Port ${base + 1}, which api needs, is in use.*--port-base`));
  }
  expect(supervisorOf(clone.dataDir)).toBeUndefined();
  expect({ secrets: secrets(), entries: readdirSync(clone.dataDir).toSorted() }).toEqual(before);
  expect(existsSync(join(clone.root, "new"))).toBe(false);
});

test("a data directory of a newer version is refused and left as it is, and --fresh begins anew", async () => {
  const version = join(clone.dataDir, "version");
  await stop();
  const before = readFileSync(version, "utf8");
  writeFileSync(version, "999\n");
  const refused = await start();
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toMatch(/written by a newer Starform/);
  expect(readFileSync(version, "utf8")).toBe("999\n");
  const token = readFileSync(join(clone.dataDir, "secrets/owner-token"), "utf8");
  await started("--fresh");
  await stop();
  expect(readFileSync(version, "utf8")).toBe(before);
  expect(readFileSync(join(clone.dataDir, "secrets/owner-token"), "utf8")).not.toBe(token);
});

test("--fresh does not delete a folder that is not Starform's", async () => {
  const dir = join(clone.root, "photos");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "holiday.jpg"), "");
  const refused = await command(
    "start",
    clone.root,
    "--data-dir",
    dir,
    "--fresh",
    "--port-base",
    String(base),
    "--no-system-packages",
  );
  expect(refused.stderr).toMatch(/not Starform's/);
  expect(existsSync(join(dir, "holiday.jpg"))).toBe(true);
});

test("an unknown flag is refused with the nearest, and a wrong value with what is allowed", async () => {
  expect((await command("start", clone.root, "--data-dri", "x")).stderr).toContain(
    "did you mean --data-dir?",
  );
  expect((await command("start", clone.root, "--runtime", "podman")).stderr).toContain(
    "choose auto, docker or process",
  );
  expect((await command("start", clone.root, "--port-base", "http")).stderr).toContain("not a port");
  expect((await command("stop", clone.root, "--jsn")).stderr).toContain("did you mean --json?");
});

test("Ctrl-C in the foreground stops everything in order, and the command ends with 0", async () => {
  const running = command("start", clone.root, "--port-base", String(base), ...flags());
  const look = async () => status().then((now) => (now.running ? now : undefined));
  const { processes } = await until("the platform to be ready", look, { withinMs: 90_000, everyMs: 500 });
  process.kill(supervisor(), "SIGINT");
  const { code, stdout } = await running;
  expect(code).toBe(0);
  expect(stdout).toMatch(/Dashboard +http:\/\/localhost[\s\S]*Everything stopped; the data stays/);
  expect(processes.filter(({ pid }) => isAlive(pid ?? 0))).toEqual([]);
});

test.runIf(process.platform === "linux")(
  "an engine that was expected and does not start leaves apps to processes, and the API knows of none",
  async () => {
    await stop();
    const bin = join(clone.root, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "dockerd"), "#!/bin/sh\nexit 7\n", { mode: 0o755 });
    vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
    vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
    const { stderr } = await start("--runtime", "auto");
    vi.unstubAllEnvs();
    const { runtime, processes } = await status();
    expect(runtime).toBe("process");
    const told = ["api", "worker", "shuttle"].map((name) => {
      const pid = processes.find((each) => each.name === name)?.pid ?? 0;
      return readFileSync(`/proc/${pid}/environ`, "utf8")
        .split("\0")
        .filter((set) => /_RUNTIME=|DOCKER_SOCKET/.test(set));
    });
    expect(told).toEqual([
      ["STARBASE_RUNTIME=process"],
      ["STARBASE_RUNTIME=process"],
      ["STARFORM_RUNTIME=process"],
    ]);
    expect(stderr).toMatch(
      process.getuid?.() === 0 ? /Docker does not run here, so apps run as processes/ : /Shuttle ready/,
    );
  },
);
