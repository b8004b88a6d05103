import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { metadataNetworks } from "@starform/std/metadata-networks";
import { runProgram, systemPath } from "./program.ts";

/** This machine's end of a build's network. */
export type Link = { readonly device: string; readonly chain: string; readonly subnet: string };

export type Limits = {
  /** Addresses of the platform on other machines. */
  readonly deniedAddresses: readonly string[];
  readonly nameservers: readonly string[];
  /** Interfaces that lead away from this machine. */
  readonly waysOut: readonly string[];
};

/** Lets what comes over the link go out, and nowhere else; nobody gets in by it. All rules at once, or none. */
export async function addRules({ device, chain, subnet }: Link, limits: Limits): Promise<void> {
  const names = limits.nameservers.flatMap((server) =>
    ["udp", "tcp"].map((protocol) => `-d ${server} -p ${protocol} --dport 53 -j ACCEPT`),
  );
  const filter = [
    `:${chain} - [0:0]`,
    ...names.map((rule) => `-A ${chain} ${rule}`),
    ...[...metadataNetworks.v4, ...limits.deniedAddresses].map((to) => `-A ${chain} -d ${to} -j REJECT`),
    ...limits.waysOut.map((way) => `-A ${chain} -o ${way} -j ACCEPT`),
    `-A ${chain} -j REJECT`,
    ...jumps(device, chain).map((rule) => `-I ${rule}`),
    ...names.map((rule) => `-I INPUT -i ${device} ${rule}`),
  ];
  const nat = [`-A POSTROUTING -s ${subnet} ! -o ${device} -j MASQUERADE`];
  await restore(["*filter", ...filter, "COMMIT", "*nat", ...nat, "COMMIT", ""].join("\n"));
}

/** Each is put before the one above it. */
const jumps = (device: string, chain: string): string[] => [
  `INPUT -i ${device} -j REJECT`,
  `FORWARD -o ${device} -j REJECT`,
  `FORWARD -o ${device} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  `FORWARD -i ${device} -j ${chain}`,
];

/** Takes away every rule of the link; what is gone already is no error. */
export async function removeRules(link: Link): Promise<void> {
  const removals = { filter: await removalsIn("filter", link), nat: await removalsIn("nat", link) };
  const all = Object.entries(removals).filter(([, lines]) => lines.length > 0);
  if (all.length === 0) return;
  try {
    // One program for all: on a busy machine each takes its time.
    await restore(all.flatMap(([table, lines]) => [`*${table}`, ...lines, "COMMIT", ""]).join("\n"));
  } catch {
    // Somebody else took one away meanwhile, and so none of them went.
    for (const [table, lines] of all)
      for (const line of lines) await iptables("-t", table, ...line.split(" ")).catch(() => undefined);
  }
}

/** What undoes a table's rules of the link: first those that lead to its chain. */
async function removalsIn(table: string, { device, chain }: Link): Promise<string[]> {
  const lines = (await iptables("-t", table, "-S").catch(() => "")).split("\n");
  const jumpsTo = lines.filter(
    (line) => line.startsWith("-A ") && !line.startsWith(`-A ${chain} `) && line.split(" ").includes(device),
  );
  const chains = lines.includes(`-N ${chain}`) ? [`-F ${chain}`, `-X ${chain}`] : [];
  return [...jumpsTo.map((line) => `-D ${line.slice(3)}`), ...chains];
}

const iptables = (...args: string[]) => runProgram("iptables", ["--wait", "20", ...args]);

function restore(rules: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("iptables-restore", ["--noflush", "--wait", "20"], {
      env: { PATH: systemPath, LC_ALL: "C.UTF-8" },
      stdio: ["pipe", "ignore", "pipe"],
    });
    const said = text(child.stderr);
    child.on("error", reject);
    child.stdin.on("error", () => undefined);
    child.on("close", (code) => {
      if (code === 0) return resolve();
      said.then(
        (words) => reject(new Error(`this machine's firewall took no rules: ${words.trim()}`)),
        reject,
      );
    });
    child.stdin.end(rules);
  });
}
