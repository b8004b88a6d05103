import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import type { EngineNetwork } from "./engine-network.ts";

/**
 * Keeps what an engine builds from this machine and from link-local addresses, where clouds keep their metadata. A build
 * has two ways there: its commands, by the engine's own bridge, and the engine itself, which fetches what a Dockerfile
 * ADDs from an address, wherever that leads. The engine is told apart by a group of its own; of this machine it reaches
 * the name servers and `loopbackPorts` (its registry, and who hands out tokens for that), and no other program's.
 *
 * Call it before each start of the engine, which is started with what it answers in front of its command line. The
 * rules go with `closeEngineNetwork`. Throws where the machine cannot keep them.
 */
export function wallEngine(network: EngineNetwork, loopbackPorts: readonly number[]): string[] {
  const { bridge, chain } = network;
  const names = nameservers();
  const group = groupOf(network);
  const [forwarded, sent] = [`${chain}-USER`, `${chain}-OUT`];
  for (const own of [forwarded, sent]) {
    attempt(() => run("iptables", "-N", own));
    run("iptables", "-F", own);
  }
  const rules = [
    ...names.flatMap((server) => [
      ...dns(server, ["-A", forwarded], "RETURN"),
      ...dns(server, ["-A", sent], "RETURN"),
    ]),
    ["-A", forwarded, "-i", bridge, "-d", linkLocal, "-j", "REJECT"],
    ...loopbackPorts.map((port) => [
      "-A",
      sent,
      "-d",
      "127.0.0.1",
      "-p",
      "tcp",
      "--dport",
      `${port}`,
      "-j",
      "RETURN",
    ]),
    ["-A", sent, "-d", linkLocal, "-j", "REJECT"],
    ["-A", sent, ...toThisMachine, ...unasked, "-j", "REJECT"],
    ["-I", "OUTPUT", ...group, "-j", sent],
    ["-I", ...guardOf(bridge)],
    ...names.flatMap((server) => dns(server, ["-I", "INPUT", "-i", bridge], "ACCEPT")),
  ];
  for (const rule of rules) ensure("iptables", rule);
  const mark = ["-m", "comment", "--comment", chain];
  if (existsSync("/proc/net/if_inet6"))
    for (const to of [toThisMachine, ["-d", "fe80::/10"], ["-d", "fd00:ec2::254"]])
      ensure("ip6tables", ["-I", "OUTPUT", ...group, ...to, ...unasked, ...mark, "-j", "REJECT"]);
  return ["setpriv", `--regid=${groupIdOf(network)}`, "--keep-groups", "--"];
}

/** Whether what is built on this bridge is kept from this machine; false where that cannot be known. */
export const isWalled = (bridge: string): boolean =>
  attempt(() => run("iptables", "-C", ...guardOf(bridge))) !== undefined;

const linkLocal = "169.254.0.0/16";
const toThisMachine = ["-m", "addrtype", "--dst-type", "LOCAL"];
/** Answers to those who asked first may go back. */
const unasked = ["-m", "conntrack", "!", "--ctstate", "RELATED,ESTABLISHED"];
const guardOf = (bridge: string): string[] => ["INPUT", "-i", bridge, ...unasked, "-j", "REJECT"];

const dns = (server: string, where: readonly string[], then: string): string[][] =>
  ["udp", "tcp"].map((protocol) => [...where, "-d", server, "-p", protocol, "--dport", "53", "-j", then]);

/** A number no group of a Debian has, of this engine and no other. */
const groupIdOf = ({ chain }: EngineNetwork): number =>
  64_400 + (Number.parseInt(chain.slice(2), 16) % 1_000);
const groupOf = (network: EngineNetwork): string[] => [
  "-m",
  "owner",
  "--gid-owner",
  String(groupIdOf(network)),
];

function nameservers(): string[] {
  const text = attempt(() => readFileSync("/etc/resolv.conf", "utf8")) ?? "";
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map(([, address]) => address ?? "")
    .filter((address) => isIPv4(address));
}

/** Adds or inserts a rule that is not there yet. */
function ensure(program: string, [how = "-A", ...rule]: string[]): void {
  if (attempt(() => run(program, "-C", ...rule)) === undefined) run(program, how, ...rule);
}

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, ["--wait", "20", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
