import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export type ProcessEntry = {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly name: string;
};

/** All processes of the machine; empty where there is no /proc. */
export function processTable(): ProcessEntry[] {
  const names = read(() => readdirSync("/proc")) ?? [];
  return names
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(() => readFileSync(`/proc/${name}/stat`, "latin1"));
      if (!stat) return [];
      const end = stat.lastIndexOf(")");
      const fields = stat.slice(end + 2).split(" ");
      if (fields[0] === "Z") return [];
      return [
        {
          pid: Number(name),
          parent: Number(fields[1]),
          session: Number(fields[3]),
          name: stat.slice(stat.indexOf("(") + 1, end),
        },
      ];
    });
}

/** Everything below `root`, and what left it but stayed in the session it leads; without `root` itself. */
export function membersOf(root: number, table = processTable()): ProcessEntry[] {
  const children = Map.groupBy(table, (entry) => entry.parent);
  const found = new Map(
    table.filter((entry) => entry.session === root && entry.pid !== root).map((entry) => [entry.pid, entry]),
  );
  const visit = (pid: number): void => {
    for (const child of children.get(pid) ?? [])
      if (child.pid !== root) {
        found.set(child.pid, child);
        visit(child.pid);
      }
  };
  visit(root);
  return [...found.values()];
}

/** Whether the process has a handler for SIGTERM or ignores it. */
export function mindsTerm(pid: number): boolean {
  const status = read(() => readFileSync(`/proc/${pid}/status`, "latin1")) ?? "";
  return [...status.matchAll(/^Sig(?:Cgt|Ign):\s*([0-9a-f]+)/gm)].some(
    ([, mask]) => (BigInt(`0x${mask}`) & (1n << 14n)) !== 0n,
  );
}

/** The program and its arguments. */
export const wordsOf = (pid: number): string[] =>
  (read(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "").split("\0").slice(0, -1);

export type ListeningSocket = { readonly port: number; readonly host: string; readonly isLoopback: boolean };

/** TCP ports that any of the processes listens on. */
export function listeningSockets(pids: readonly number[]): ListeningSocket[] {
  const inodes = new Set(pids.flatMap(socketInodes));
  const first = pids[0];
  if (inodes.size === 0 || first === undefined) return [];
  return ["tcp", "tcp6"].flatMap((name) =>
    (read(() => readFileSync(`/proc/${first}/net/${name}`, "latin1")) ?? "")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && inodes.has(fields[9] ?? ""))
      .map((fields) => socketOf(fields[1] ?? "")),
  );
}

function socketInodes(pid: number): string[] {
  const dir = `/proc/${pid}/fd`;
  return (read(() => readdirSync(dir)) ?? []).flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(read(() => readlinkSync(`${dir}/${fd}`)) ?? "")?.[1];
    return inode === undefined ? [] : [inode];
  });
}

/** `0100007F:1F90`: the address in groups of four bytes, each in the machine's own order. */
function socketOf(text: string): ListeningSocket {
  const [address = "", port = "0"] = text.split(":");
  const bytes = address.match(/.{8}/g)?.flatMap((word) => (word.match(/../g) ?? []).toReversed()) ?? [];
  if (bytes.length === 4) {
    const host = bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
    return { port: Number.parseInt(port, 16), host, isLoopback: host.startsWith("127.") };
  }
  const hex = bytes.join("").toLowerCase();
  const isMapped = hex.startsWith("00000000000000000000ffff7f");
  const isOne = hex === "00000000000000000000000000000001";
  const host = isOne
    ? "::1"
    : isMapped
      ? "127.0.0.1"
      : /^0+$/.test(hex)
        ? "::"
        : hex.replace(/(.{4})(?=.)/g, "$1:");
  return { port: Number.parseInt(port, 16), host, isLoopback: isOne || isMapped };
}

function read<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
