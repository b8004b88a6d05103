import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { until } from "@starform/std/retry";
import { describe, expect, test } from "vitest";
import { expectRuntime } from "../src/engines/choose-runtime.ts";
import { ownEngineProgram } from "../src/engines/docker-engine.ts";
import { aPlatformFolder, supervising } from "./a-program.ts";

const bridges = () => readdirSync("/sys/class/net").filter((name) => name.startsWith("sfd"));
const firewall = () =>
  ["iptables", "ip6tables"]
    .map((program) => execFileSync(program, ["--wait", "20", "-S"], { encoding: "utf8" }))
    .join("");
const mountsBelow = (dir: string) =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(dir));

describe.skipIf(!requireEngineInCi())("a Docker Engine of our own", () => {
  test(
    "two run side by side, one killed with -9 comes back, and a stop leaves nothing on the machine",
    { timeout: 120_000 },
    async () => {
      using first = aPlatformFolder();
      using second = aPlatformFolder();
      const walls = { loopbackPorts: [], deniedHosts: [] };
      const engines = [first, second].map((folder) => ({ folder, ...ownEngineProgram(folder.path, walls) }));
      const [one, other] = engines.map(({ folder, program }) => supervising(folder, [program]));
      if (!one || !other) throw new Error("two engines were made");
      await using _one = one;
      await using _other = other;
      await Promise.all([one.start({ withinMs: 60_000 }), other.start({ withinMs: 60_000 })]);
      const before = one.status()[0];
      process.kill(before?.pid ?? Number.NaN, "SIGKILL");
      await until(
        "the engine to come back",
        () => one.status()[0]?.state === "ready" && one.status()[0]?.pid !== before?.pid,
        { withinMs: 60_000 },
      );
      expect(other.status()[0]).toMatchObject({ state: "ready", restarts: 0 });
      const made = engines.map(({ socketPath }) => dirname(socketPath));
      expect(made.every((dir) => existsSync(dir))).toBe(true);
      const settings = made.map((dir) => readFileSync(join(dir, "daemon.json"), "utf8"));
      for (const text of settings)
        expect(JSON.parse(text)).toEqual({
          builder: { gc: { enabled: true, defaultKeepStorage: expect.stringMatching(/^\d+GB$/) } },
        });
      const chains = made.map((dir) => `SF${dir.split("-").at(-1)?.slice(0, 4)}`);
      expect(
        chains.every(
          (chain) =>
            firewall().includes(`-A OUTPUT -m owner --gid-owner`) && firewall().includes(`-j ${chain}-OUT`),
        ),
      ).toBe(true);
      await Promise.all([one.stop(), other.stop()]);
      expect(made.filter((dir) => existsSync(dir))).toEqual([]);
      expect(engines.flatMap(({ folder }) => mountsBelow(join(folder.path, "docker")))).toEqual([]);
      expect(chains.filter((chain) => firewall().includes(chain))).toEqual([]);
      expect(bridges().filter((name) => made.some((dir) => dir.endsWith(name.slice(3))))).toEqual([]);
    },
  );

  test("is kept from the database of DATABASE_URL, before it starts", async () => {
    using folder = aPlatformFolder();
    const isIn = (address: string) => firewall().includes(`-d ${address} `);
    for (const [host, address] of [
      ["192.0.2.7", "192.0.2.7/32"],
      ["[2001:db8::7]", "2001:db8::7/128"],
    ] as const) {
      const databaseUrl = `postgresql://starform:secret@${host}:5432/starform`;
      const wanted = {
        runtime: "docker",
        dockerHost: "unix:///nowhere/docker.sock",
        portBase: 4400,
      } as const;
      const { ownEngine } = await expectRuntime({ ...wanted, databaseUrl }, folder.path);
      await ownEngine?.prepare?.(new AbortController().signal);
      expect(isIn(address)).toBe(true);
      await ownEngine?.cleanUp?.();
      expect(isIn(address)).toBe(false);
    }
  });
});
