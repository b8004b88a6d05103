import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { openPlatform, runPlatformCommand, type Platform } from "@starform/testkit/platform";
import { runtimes } from "@starform/testkit/runtimes";
import { storyApp } from "@starform/testkit/story-app";
import { openTerminal } from "@starform/testkit/terminal";
import { untilAnswers, visit } from "@starform/testkit/visit";
import { until } from "@starform/std/retry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const portBaseOf = ({ apiUrl }: Platform) => Number(new URL(apiUrl).port) - 1;

describe.each(runtimes())("two platforms side by side, on the runtime $name", ({ name: runtime }) => {
  let [one, other]: Platform[] = [];
  const urls = new Map<Platform, string>();

  beforeAll(async () => {
    one = await openPlatform({ runtime });
    other = await openPlatform({ runtime });
    for (const [platform, version] of [
      [one, "one"],
      [other, "other"],
    ] as const) {
      using person = openTerminal(platform);
      const cwd = person.folder("twin", storyApp({ version }));
      urls.set(platform, (await person.deploy(["up", "--yes"], { cwd })).url);
    }
  });
  afterAll(async () => {
    await one?.[Symbol.asyncDispose]();
    await other?.[Symbol.asyncDispose]();
  });
  const pidsOf = async (platform: Platform) =>
    (await platform.processes()).map(({ name, pid }) => [name, pid]);
  const answerOf = async (platform: Platform) => (await visit(urls.get(platform)!)).body.trim();

  test("each serves its own app of the same name", async () => {
    await untilAnswers(urls.get(one!)!, "one nobody");
    await untilAnswers(urls.get(other!)!, "other nobody");
  });

  test("a second start in the same data directory is refused, and disturbs nothing", async () => {
    const before = await pidsOf(one!);
    const start = [
      "--detach",
      "--json",
      "--data-dir",
      one!.dataDir,
      "--port-base",
      "31000",
      "--runtime",
      runtime,
    ];
    await expect(runPlatformCommand("start", [...start, "--no-system-packages"])).rejects.toThrow(
      `Starform already runs in ${one!.dataDir} at ${one!.dashboardUrl}`,
    );
    expect(await answerOf(one!)).toBe("one nobody");
    expect(await pidsOf(one!)).toEqual(before);
  });

  test.skipIf(process.platform !== "linux")(
    "stop takes everything of one away and leaves the other, and the next start serves the same app undeployed",
    async () => {
      const before = tracesOf(one!);
      expect(before.processes.length).toBeGreaterThan(6);
      expect(before.apps.length).toBeGreaterThan(0);
      await one!.stop();
      const { processes, apps, mounts, links } = tracesOf(one!);
      expect({ processes, apps, mounts, links }).toEqual({ processes: [], apps: [], mounts: [], links: [] });
      expect(before.cgroups.filter((path) => existsSync(path))).toEqual([]);
      expect(await answerOf(other!)).toBe("other nobody");

      await using again = await openPlatform({ runtime, dataDir: one!.dataDir, portBase: portBaseOf(one!) });
      expect((await untilAnswers(urls.get(one!)!, "one nobody")).status).toBe(200);
      using person = openTerminal(again);
      const deployments = await person.json<unknown[]>(["deployments", "-p", "twin", "-s", "twin"]);
      expect(deployments.length).toBe(1);
      await until(
        "its app to be told as running",
        async () => {
          const { services } = await person.json<{ services: { health: { phase: string } }[] }>([
            "status",
            "-p",
            "twin",
          ]);
          return services[0]?.health.phase === "running";
        },
        { withinMs: 90_000, everyMs: 250 },
      );
    },
  );
});

/** What a platform has on this machine: processes, apps, their control groups, mounts and network links. */
function tracesOf({ dataDir, appsDomain }: Platform) {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const text = (path: string) => orNothing(() => readFileSync(path, "utf8"));
  const isOwn = (pid: string) =>
    text(`/proc/${pid}/cmdline`).includes(dataDir) ||
    orNothing(() => readlinkSync(`/proc/${pid}/cwd`)).startsWith(`${dataDir}/`);
  const apps = pids.filter((pid) => text(`/proc/${pid}/environ`).includes(`.${appsDomain}\0`));
  const cgroups = apps.flatMap((pid) =>
    text(`/proc/${pid}/cgroup`)
      .split("\n")
      .map((line) => line.split(":"))
      .filter(([, , path]) => path?.includes("starform"))
      .map(([, controller = "", path = ""]) => join("/sys/fs/cgroup", controller.split(",")[0] ?? "", path)),
  );
  const bridge = `sfd${createHash("sha256").update(dataDir).digest("hex").slice(0, 8)}`;
  return {
    processes: pids.filter(isOwn).map((pid) => text(`/proc/${pid}/cmdline`).replaceAll("\0", " ")),
    apps: apps.map((pid) => text(`/proc/${pid}/cmdline`).replaceAll("\0", " ")),
    cgroups,
    mounts: text("/proc/self/mounts")
      .split("\n")
      .filter((line) => line.includes(dataDir)),
    links: readdirSync("/sys/class/net").filter((name) => name === bridge),
  };
}

/** A process may end while it is looked at. */
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
