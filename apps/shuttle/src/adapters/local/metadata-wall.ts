import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { wordsOf } from "@starform/std/fault";
import { inTurns } from "@starform/std/in-turn";
import { metadataNetworks } from "@starform/std/metadata-networks";

/** Keeps apps from where clouds hand out a machine's credentials to whoever on it asks. */
export type MetadataWall = {
  /**
   * What matches one of these is kept from there from now on, and nothing else; of none, nothing of the wall stays. May be
   * repeated at any time, which mends what somebody took away. Lacks where this machine's firewall takes no rules.
   */
  around(matches: readonly string[]): Promise<void>;
  /** Tells the operator, once, that apps are not kept from there, and why. */
  lacks(why: string): void;
};

type Where = {
  /** Whoever raises it, under the same words after each start: it knows its own wall again by them. */
  readonly owner: string;
  /** What matches is looked for among packets of others that come to this machine, or among what it sends itself. */
  readonly hook: "PREROUTING" | "OUTPUT";
  readonly warn: (sentence: string) => void;
};

/**
 * In the table `mangle`, in which others mark packets at most: a Docker Engine writes its chains in others and writes them
 * anew as it likes, a rule that lets everything through in those overrules nothing here, and what leads to an address of
 * this machine passes it as well. What is refused is not answered, for that table can do no more.
 */
export function metadataWall({ owner, hook, warn }: Where): MetadataWall {
  const chain = `STARFORM-${createHash("sha256").update(owner).digest("hex").slice(0, 12)}`;
  const inTurn = inTurns();
  let isTold = false;
  const lacks = (why: string): void => {
    if (!isTold) warn(sentenceOf(why));
    isTold = true;
  };
  const raise = async ({ program, rules }: Family, matches: readonly string[]): Promise<void> => {
    const seen = (await run(program, ["--wait", "20", "-t", "mangle", "-S", hook])).split("\n");
    const before = seen.filter((rule) => rule.endsWith(` -j ${chain}`));
    const lines = [
      "*mangle",
      `:${chain} - [0:0]`,
      ...before.map((rule) => rule.replace(/^-A/, "-D")),
      ...(matches.length === 0 ? [`-X ${chain}`] : rules.map((rule) => `-A ${chain} ${rule}`)),
      ...matches.map((match) => `-I ${hook} ${match} -j ${chain}`),
      "COMMIT",
    ];
    // All at once: there is no moment without the wall.
    await run(`${program}-restore`, ["--noflush", "--wait", "20"], `${lines.join("\n")}\n`);
  };
  return {
    around: (matches) =>
      inTurn(async () => {
        for (const family of families()) await raise(family, matches);
      }).catch((error: unknown) => lacks(wordsOf(error))),
    lacks,
  };
}

const sentenceOf = (why: string): string =>
  `apps can ask for the credentials that a cloud gives this machine (169.254.169.254 and others), because ${why}: on a cloud's machine start the platform as root with iptables installed, or let the cloud give the machine none`;

type Family = { readonly program: string; readonly rules: readonly string[] };

/** A cloud's name server may have one of these addresses, and tells no secrets. */
const names = ["-p udp --dport 53 -j RETURN", "-p tcp --dport 53 -j RETURN"];
const dropped = (networks: readonly string[]): string[] => networks.map((network) => `-d ${network} -j DROP`);
const v4: Family = { program: "iptables", rules: [...names, ...dropped(metadataNetworks.v4)] };
/** Neighbours on a link find each other by ICMP to addresses of the link. */
const v6: Family = {
  program: "ip6tables",
  rules: ["-p ipv6-icmp -j RETURN", ...names, ...dropped(metadataNetworks.v6)],
};
const families = (): Family[] => (existsSync("/proc/net/if_inet6") ? [v4, v6] : [v4]);

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, { env: { PATH: searchPath, LC_ALL: "C.UTF-8" } });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", ({ code, message }: NodeJS.ErrnoException) =>
      reject(new Error(code === "ENOENT" ? `${program} is not installed` : message)),
    );
    child.once("close", resolve);
  });
  const [code, said, words] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`this machine's firewall took no rules: ${words.trim()}`);
  return said;
}
