import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { isIPv4 } from "node:net";
import { addressesOf } from "@starform/std/addresses-of";
import { wordsOf } from "@starform/std/fault";
import { addRules, removeRules, type Link } from "./network-rules.ts";
import { findProgram, runProgram, systemPath } from "./program.ts";

/** A network of one build: the way out through this machine, and nothing of this machine or of other builds. */
export type BuildNetwork = AsyncDisposable & {
  /** Goes in front of a command line; empty where builds share the machine's network. */
  readonly enter: readonly string[];
  /** What the log says where it is not kept. */
  readonly words: string | undefined;
};

export type BuildNetworks = {
  open(buildId: string): Promise<BuildNetwork>;
  /** Takes away what a killed process left behind of this build's. */
  removeLeft(buildId: string): Promise<void>;
};

type Options = {
  /** Where notes of open networks lie, for who comes after a crash. */
  readonly dir: string;
  /** Proxies and mirrors that builds are to use. */
  readonly variables: Readonly<Record<string, string>>;
  /** Other hosts of the platform: its stores, where they are on machines of their own. */
  readonly deniedHosts: readonly string[];
};

/** 198.18.0.0/15 is for measurements and never routed: it collides with nobody's network. */
const addressOf = (index: number, host: number): string => {
  const at = index * 4 + host;
  return `198.${18 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`;
};
const indexMax = 2 ** 15;

/**
 * Gives each build a network namespace with one way out: through address translation to where this machine's own
 * routes lead. This machine's addresses, those where clouds keep their metadata, container networks and the
 * platform's other hosts are refused. Needs root, iproute2 and iptables; else builds share the machine's network and
 * their logs say so.
 */
export function buildNetworks(options: Options): BuildNetworks {
  let why: string | undefined | Promise<string | undefined>;
  return {
    async open(buildId) {
      const reason = await (why ??= whyNot(options));
      if (reason) return shared(reason);
      try {
        return await openNamespace(options, buildId);
      } catch (error) {
        return shared(wordsOf(error));
      }
    },
    removeLeft: (buildId) => close(noteOf(options.dir, buildId), nameOf(buildId)),
  };
}

const shared = (why: string): BuildNetwork => ({
  enter: [],
  words: `NETWORK NOT KEPT APART: ${why}; this build can reach what the platform's own processes reach`,
  [Symbol.asyncDispose]: async () => undefined,
});

/** The reason why this machine cannot keep builds apart; undefined where it can. */
async function whyNot({ variables }: Options): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "the platform does not run as root";
  for (const [program, debian] of [
    ["ip", "iproute2"],
    ["nsenter", "util-linux"],
    ["iptables-restore", "iptables"],
  ] as const)
    if (!findProgram(program, systemPath)) return `${program} is not installed (apt-get install ${debian})`;
  if (nameservers().length === 0)
    return `no name server in ${resolverFile()} has an address that a build could reach`;
  const local = Object.entries(variables).find(
    ([name, value]) => !/^no_proxy$/i.test(name) && /\/\/(?:[^/@]*@)?(localhost|127\.|\[::1\])/.test(value),
  );
  return local && `${local[0]} names a server on this machine's loopback, which builds are to use`;
}

/** Where names are resolved: systemd's stub on the loopback knows servers that are not. */
export function resolverFile(): string {
  const own = "/etc/resolv.conf";
  const behind = "/run/systemd/resolve/resolv.conf";
  return nameservers(own).length === 0 && existsSync(behind) ? behind : own;
}

function nameservers(file = resolverFile()): string[] {
  try {
    return [...readFileSync(file, "utf8").matchAll(/^\s*nameserver\s+(\S+)/gm)]
      .map(([, address]) => address!)
      .filter((address) => isIPv4(address) && !address.startsWith("127."));
  } catch {
    return [];
  }
}

const nameOf = (buildId: string): string => `starform-build-${buildId}`;
const noteOf = (dir: string, buildId: string): string => `${dir}/${buildId}.net`;
const ip = (...args: string[]) => runProgram("ip", args);
const inside = (name: string, ...argv: string[]) =>
  runProgram("nsenter", [`--net=/run/netns/${name}`, ...argv]);

async function openNamespace(options: Options, buildId: string): Promise<BuildNetwork> {
  const [name, note] = [nameOf(buildId), noteOf(options.dir, buildId)];
  await close(note, name);
  try {
    await ip("netns", "add", name);
    const link = await openLink(name, note);
    await addRules(link, {
      deniedAddresses: (await Promise.all(options.deniedHosts.map(v4Of))).flat(),
      nameservers: nameservers(),
      waysOut: waysOut(),
    });
    return {
      enter: ["nsenter", `--net=/run/netns/${name}`],
      words: undefined,
      [Symbol.asyncDispose]: () => close(note, name),
    };
  } catch (error) {
    await close(note, name);
    throw error;
  }
}

/** A build goes on without a name server, which it has no use for either. */
const v4Of = async (host: string): Promise<string[]> =>
  (await addressesOf(host).catch(() => undefined))?.v4 ?? [];

/** A pair of interfaces, one here and one in the namespace. Its name is its number: the kernel gives each only once. */
async function openLink(name: string, note: string): Promise<Link> {
  const mtu = String(smallestMtu());
  for (let attempt = 1; ; attempt++) {
    const index = randomInt(0, indexMax);
    const link: Link = {
      device: `sfb${index}`,
      chain: `SFBUILD${index}`,
      subnet: `${addressOf(index, 0)}/30`,
    };
    try {
      const other = ["peer", "name", "eth0", "mtu", mtu, "netns", name];
      await ip("link", "add", link.device, "mtu", mtu, "type", "veth", ...other);
    } catch (error) {
      if (attempt < 10 && existsSync(`/sys/class/net/${link.device}`)) continue;
      throw error;
    }
    writeFileSync(note, JSON.stringify(link));
    writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
    // Without addresses of version 6 there is nothing to keep it from there.
    writeFileSync(`/proc/sys/net/ipv6/conf/${link.device}/disable_ipv6`, "1");
    await ip("addr", "add", `${addressOf(index, 1)}/30`, "dev", link.device);
    await ip("link", "set", link.device, "up");
    const setUp = [
      "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6",
      "ip link set lo up",
      `ip addr add ${addressOf(index, 2)}/30 dev eth0`,
      "ip link set eth0 up",
      `ip route add default via ${addressOf(index, 1)}`,
    ];
    await inside(name, "/bin/sh", "-ec", setUp.join("\n"));
    return link;
  }
}

/** Interfaces that lead away from this machine: not to containers, virtual machines or other builds on it. */
const waysOut = (): string[] =>
  readdirSync("/sys/class/net").filter(
    (device) =>
      device !== "lo" &&
      !existsSync(`/sys/class/net/${device}/bridge`) &&
      !/^(docker|br-|sf[bd]|veth|cni|cali|flannel|podman|virbr|vnet|tap|lxc|lxd|ifb|dummy)/.test(device),
  );

/** Packets that fit here but not on their way would be lost without a word. */
const smallestMtu = (): number =>
  Math.min(1_500, ...waysOut().map((way) => Number(readFileSync(`/sys/class/net/${way}/mtu`, "utf8"))));

async function close(note: string, name: string): Promise<void> {
  if (existsSync(`/run/netns/${name}`)) await ip("netns", "delete", name).catch(() => undefined);
  if (!existsSync(note)) return;
  const link = JSON.parse(readFileSync(note, "utf8")) as Link;
  await removeRules(link);
  await ip("link", "delete", link.device).catch(() => undefined);
  rmSync(note, { force: true });
}
