import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openPlatform, type Platform } from "@starform/testkit/platform";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, expect, test } from "vitest";

let platform: Platform;
beforeAll(async () => {
  platform = await openPlatform();
});
afterAll(() => platform?.[Symbol.asyncDispose]());

const me = async ({ apiUrl, ownerToken }: Platform = platform) => {
  const response = await fetch(`${apiUrl}/v1/me`, {
    headers: { authorization: `Bearer ${ownerToken}` },
  });
  return response.ok ? ((await response.json()) as { user: { id: string } }) : undefined;
};

test("kill -9 of any process heals, and the owner is still known", async () => {
  const before = await until("the API to know the owner", me);
  const names = (await platform.processes()).map(({ name }) => name as Parameters<Platform["kill"]>[0]);
  expect(names).toEqual(
    expect.arrayContaining(["postgres", "telemetry", "api", "worker", "gateway", "shuttle"]),
  );
  for (const name of names) {
    const { pid } = await platform.untilReady(name);
    await platform.kill(name);
    const healed = await platform.untilReady(name, pid);
    expect({ name, restarted: healed.restarts > 0 }).toEqual({ name, restarted: true });
  }
  expect(
    await until("the API to answer again", () => me().catch(() => undefined), { withinMs: 60_000 }),
  ).toEqual(before);
});

test("stop leaves no process that knows the data directory, and the next start continues with the data", async () => {
  const before = await me();
  const { dataDir } = platform;
  await platform.stop();
  expect(processesNaming(dataDir)).toEqual([]);
  await using again = await openPlatform({ dataDir });
  expect(await me(again)).toEqual(before);
});

/** Command lines that name the folder; the engine's and the apps' are among them. */
function processesNaming(dir: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(join("/proc", pid, "cmdline"), "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(dir));
}
