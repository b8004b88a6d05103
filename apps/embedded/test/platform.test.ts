import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { isAlive } from "@starform/std/process";
import { until } from "@starform/std/retry";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { supervisorOf, type PlatformDescription, type PlatformState } from "../src/data-dir/state.ts";
import { aClone, command, freePortBase } from "./a-clone.ts";

let clone: ReturnType<typeof aClone>;
let base: number;
const flags = () => ["--runtime", "process", "--no-system-packages", "--data-dir", clone.dataDir];
const start = (...more: string[]) =>
  command("start", clone.root, "--detach", "--json", "--port-base", String(base), ...flags(), ...more);
const stop = () => command("stop", clone.root, "--json", "--data-dir", clone.dataDir);
const status = async () =>
  JSON.parse(
    (await command("status", clone.root, "--json", "--data-dir", clone.dataDir)).stdout,
  ) as PlatformState & { running: boolean };

beforeAll(async () => {
  clone = aClone();
  base = await freePortBase();
});
afterEach(async () => void (await stop()));
afterAll(() => clone[Symbol.dispose]());

test("start --detach --json prints one object that tells how to use the platform, and stop leaves nothing running", async () => {
  const started = await start();
  expect(started).toMatchObject({ code: 0 });
  const platform = JSON.parse(started.stdout) as PlatformDescription;
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
      .filter(({ name }) => name !== "metrics")
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
  expect((await stop()).code).toBe(0);
  expect(processes.map(({ pid }) => isAlive(pid ?? 0))).toEqual(processes.map(() => false));
  expect(readdirSync(join(clone.dataDir, "run"))).toEqual([]);
  expect((await status()).running).toBe(false);
});

test("secrets are made once, are readable by their owner only, and are neither in the state nor in the logs", async () => {
  await start();
  await stop();
  const dir = join(clone.dataDir, "secrets");
  const read = () =>
    Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), "utf8").trim()]));
  const before = read();
  expect(Object.keys(before)).toEqual(
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
  expect(Object.keys(before).map((name) => statSync(join(dir, name)).mode & 0o077)).toEqual(
    Object.keys(before).map(() => 0),
  );
  await start();
  const shown = [
    JSON.stringify(await status()),
    ...readdirSync(join(clone.dataDir, "logs")).map((name) =>
      readFileSync(join(clone.dataDir, "logs", name), "utf8"),
    ),
  ].join("\n");
  expect(
    Object.entries(before).filter(([name, secret]) => name !== "cluster-id" && shown.includes(secret)),
  ).toEqual([]);
  await stop();
  expect(read()).toEqual(before);
});

test("a second start in the same data directory is refused with the address of the first", async () => {
  await start();
  const second = await start();
  expect(second).toMatchObject({ code: 1, stdout: "" });
  expect(second.stderr).toContain(`already runs in ${clone.dataDir} at http://localhost:${base}`);
});

test("a supervisor killed with -9 leaves no process, and the next start serves the same data", async () => {
  const first = JSON.parse((await start()).stdout) as PlatformDescription;
  const { processes } = await status();
  process.kill(supervisorOf(clone.dataDir) ?? 0, "SIGKILL");
  const again = await start();
  expect(again).toMatchObject({ code: 0 });
  expect((JSON.parse(again.stdout) as PlatformDescription).ownerToken).toBe(first.ownerToken);
  await until("the first platform's processes to be gone", () =>
    processes.every(({ pid }) => !isAlive(pid ?? 0)),
  );
});

test("a port in use is told with its number, its holder and the way out, and changes nothing", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(base + 1, "127.0.0.1", resolve));
  const refused = await start();
  server.close();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(new RegExp(`Port ${base + 1}, which api needs, is in use.*--port-base`));
  expect(supervisorOf(clone.dataDir)).toBeUndefined();
});

test("a data directory of a newer version is refused and left as it is, and --fresh begins anew", async () => {
  const version = join(clone.dataDir, "version");
  await start();
  await stop();
  const before = readFileSync(version, "utf8");
  writeFileSync(version, "999\n");
  const refused = await start();
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toMatch(/written by a newer Starform/);
  expect(readFileSync(version, "utf8")).toBe("999\n");
  const token = readFileSync(join(clone.dataDir, "secrets/owner-token"), "utf8");
  expect(await start("--fresh")).toMatchObject({ code: 0 });
  await stop();
  expect(readFileSync(version, "utf8")).toBe(before);
  expect(readFileSync(join(clone.dataDir, "secrets/owner-token"), "utf8")).not.toBe(token);
});

test("--fresh does not delete a folder that is not Starform's", async () => {
  const dir = join(clone.root, "photos");
  mkdirSync(dir);
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
  const { processes } = await until("the platform to be ready", async () => {
    const now = await status();
    return now.running ? now : undefined;
  });
  process.kill(supervisorOf(clone.dataDir) ?? 0, "SIGINT");
  const { code, stdout } = await running;
  expect(code).toBe(0);
  expect(stdout).toMatch(/Dashboard +http:\/\/localhost[\s\S]*Everything stopped; the data stays/);
  expect(processes.filter(({ pid }) => isAlive(pid ?? 0))).toEqual([]);
});
