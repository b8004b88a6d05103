import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDockerEngine, requireEngineInCi } from "./docker-engine.ts";

describe.skipIf(!requireEngineInCi())("an engine for tests", () => {
  test("two run at once, and neither leaves anything on the machine", { timeout: 120_000 }, async () => {
    const engines = await Promise.all([openDockerEngine(), openDockerEngine()]);
    const dirs = engines.map(({ socketPath }) => dirname(socketPath));
    const bridges = await Promise.all(engines.map(({ socketPath }) => bridgeOf(socketPath)));
    expect(new Set(bridges).size).toBe(2);
    expect(bridges.every((bridge) => firewall().includes(bridge))).toBe(true);

    await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    const [mounts, rules, processes] = [
      readFileSync("/proc/self/mounts", "utf8"),
      firewall(),
      commandLines(),
    ];
    const links = readdirSync("/sys/class/net");
    for (const dir of dirs) {
      expect(existsSync(dir)).toBe(false);
      expect(mounts).not.toContain(dir);
      expect(processes).not.toContain(dir);
    }
    for (const bridge of bridges) {
      expect(links).not.toContain(bridge);
      expect(rules).not.toContain(bridge);
      expect(rules).not.toContain(chainOf(bridge));
      expect(cgroups()).not.toContain(`starform-docker-${bridge.slice(3)}`);
    }
  });
});

const chainOf = (bridge: string): string => `SF${bridge.slice(3, 7)}`;

const firewall = (): string =>
  ["filter", "nat"]
    .map((table) => execFileSync("iptables", ["--wait", "-t", table, "-S"], { encoding: "utf8" }))
    .join("");

const commandLines = (): string =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(join("/proc", pid, "cmdline"), "utf8");
      } catch {
        return "";
      }
    })
    .join("\n");

function cgroups(): string[] {
  const root = "/sys/fs/cgroup";
  const tops = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return tops.flatMap(({ name }) => [name, ...readdirSync(join(root, name))]);
}

function bridgeOf(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: "/networks/bridge" }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        const { Options } = JSON.parse(text) as { Options: Record<string, string> };
        resolve(Options["com.docker.network.bridge.name"] ?? "");
      });
    });
    asked.on("error", reject).end();
  });
}
