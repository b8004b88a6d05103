import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The network an engine owns alone: its bridge, its /20 of addresses, and the word its firewall chains start with. */
export type EngineNetwork = {
  readonly bridge: string;
  /** First two numbers and a half of the /20, as `10.201.16.0`. */
  readonly base: string;
  readonly chain: string;
};

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const attempt = (command: string, ...args: string[]): string => {
  try {
    return run(command, ...args);
  } catch {
    return "";
  }
};

/** Makes a bridge with addresses nobody else on this machine uses. Rejects names already taken by trying another. */
export function openEngineNetwork(id: string): EngineNetwork {
  const bridge = `sfd${id}`;
  for (let attemptNo = 0; attemptNo < 50; attemptNo += 1) {
    const [second, third] = [randomInt(200, 250), randomInt(0, 16) * 16];
    const gateway = `10.${second}.${third}.1`;
    if (taken(second, third)) continue;
    run("ip", "link", "add", "name", bridge, "type", "bridge");
    run("ip", "addr", "add", `${gateway}/24`, "dev", bridge);
    run("ip", "link", "set", bridge, "up");
    return { bridge, base: `10.${second}.${third}.0`, chain: `SF${id.slice(0, 4)}` };
  }
  throw new Error("no free addresses for a test engine: 10.200.0.0 to 10.249.255.255 are all in use");
}

/** True when an address of this machine or one of its routes lies in the /20. */
function taken(second: number, third: number): boolean {
  const seen = attempt("ip", "-4", "-o", "addr") + attempt("ip", "-4", "route");
  return Array.from({ length: 16 }, (_, n) => `10.${second}.${third + n}.`).some((start) =>
    seen.includes(start),
  );
}

/**
 * Two engines in one network namespace wipe each other's chains at start, because all call them DOCKER.
 * A wrapper in front of iptables gives each engine its own names, which also tells us what to take away.
 */
export function wrapFirewall(dir: string, network: EngineNetwork): string {
  mkdirSync(dir, { recursive: true });
  for (const name of ["iptables", "ip6tables"]) {
    const program = attempt("sh", "-c", `command -v ${name}`).trim() || `/usr/sbin/${name}`;
    const script = `#!/bin/bash\nexec ${program} "\${@/#DOCKER/${network.chain}}"\n`;
    writeFileSync(join(dir, name), script);
    chmodSync(join(dir, name), 0o755);
  }
  return dir;
}

/** Removes the bridge, and every rule and chain that carries the engine's names. Safe to call twice. */
export function closeEngineNetwork(network: EngineNetwork): void {
  attempt("ip", "link", "delete", network.bridge);
  const addresses = network.base.split(".").slice(0, 2).join(".");
  const third = Number(network.base.split(".")[2]);
  const own = (rule: string): boolean =>
    rule.includes(network.chain) ||
    rule.includes(network.bridge) ||
    Array.from({ length: 16 }, (_, n) => `${addresses}.${third + n}.`).some((start) => rule.includes(start));
  for (const program of ["iptables", "ip6tables"])
    for (const table of ["filter", "nat"]) removeRules(program, table, own, network.chain);
}

function removeRules(program: string, table: string, own: (rule: string) => boolean, chain: string): void {
  const lines = attempt(program, "--wait", "-t", table, "-S").split("\n");
  for (const rule of lines.filter((line) => line.startsWith("-A ") && own(line)))
    attempt("sh", "-c", `${program} --wait -t ${table} -D ${rule.slice(3)}`);
  for (const name of lines.filter((line) => line.startsWith(`-N ${chain}`)))
    attempt(program, "--wait", "-t", table, "-X", name.slice(3));
}
