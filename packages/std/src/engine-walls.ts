import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { addressesOf } from "./addresses-of.ts";
import type { EngineNetwork } from "./engine-network.ts";
import { metadataNetworks } from "./metadata-networks.ts";

export type EngineWalls = {
  /** What the engine itself may speak to on this machine: its registry, and who hands out tokens for that. */
  readonly loopbackPorts: readonly number[];
  /** Other hosts of the platform: its stores, where they are on machines of their own. */
  readonly deniedHosts: readonly string[];
};

/**
 * Keeps what an engine builds from this machine, from where clouds keep their metadata, and from the platform's other
 * hosts. A build has two ways there: its commands, by the engine's own bridge, and the engine itself, which fetches what a
 * Dockerfile ADDs from an address, wherever that leads. The engine is told apart by a group of its own; of this machine it
 * reaches the name servers and `loopbackPorts`, and no other program's. Name servers are let through wherever they are.
 *
 * Call it before each start of the engine, which is started with what it answers in front of its command line: the names of
 * hosts are looked up then, and one that moves is walled again by the next start. The rules go with `closeEngineNetwork`.
 * Rejects where the machine cannot keep them, or a host's name cannot be looked up.
 */
export async function wallEngine(
  network: EngineNetwork,
  { loopbackPorts, deniedHosts }: EngineWalls,
): Promise<string[]> {
  const hosts = await Promise.all(
    deniedHosts.map((host) =>
      addressesOf(host).catch((cause: unknown) => {
        throw new Error(
          `builds are to be kept from ${host}, and no name server says where that is: correct its name, or see to the name server`,
          { cause },
        );
      }),
    ),
  );
  const denied = {
    v4: [...metadataNetworks.v4, ...hosts.flatMap(({ v4 }) => v4)],
    v6: [...metadataNetworks.v6, ...hosts.flatMap(({ v6 }) => v6)],
  };
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
    ...denied.v4.map((to) => ["-A", forwarded, "-i", bridge, "-d", to, "-j", "REJECT"]),
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
    ...denied.v4.map((to) => ["-A", sent, "-d", to, "-j", "REJECT"]),
    ["-A", sent, ...toThisMachine, ...unasked, "-j", "REJECT"],
    ["-I", "OUTPUT", ...group, "-j", sent],
    ["-I", ...guardOf(bridge)],
    ...names.flatMap((server) => dns(server, ["-I", "INPUT", "-i", bridge], "ACCEPT")),
  ];
  for (const rule of rules) ensure("iptables", rule);
  const mark = ["-m", "comment", "--comment", chain];
  if (existsSync("/proc/net/if_inet6"))
    for (const to of [toThisMachine, ...denied.v6.map((one) => ["-d", one])])
      ensure("ip6tables", ["-I", "OUTPUT", ...group, ...to, ...unasked, ...mark, "-j", "REJECT"]);
  return ["setpriv", `--regid=${groupIdOf(network)}`, "--keep-groups", "--"];
}

/** Whether what is built on this bridge is kept from this machine; false where that cannot be known. */
export const isWalled = (bridge: string): boolean =>
  attempt(() => run("iptables", "-C", ...guardOf(bridge))) !== undefined;

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

/** Those behind systemd's stub are among them: the engine gives its builds these, which it cannot reach the stub by. */
function nameservers(): string[] {
  const files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
  const text = files.map((file) => attempt(() => readFileSync(file, "utf8")) ?? "").join("\n");
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
