import { readFile } from "node:fs/promises";

const listening = "0A";
/** 127.0.0.11, where the engine itself answers names in every container of a project's network. */
const nameServer = "0B00007F";

/** The TCP ports listened on in the network of a process; undefined where this machine does not show them. */
export async function listenersOf(
  pid: number,
): Promise<{ port: number; isLoopback: boolean; host: string }[] | undefined> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => undefined)),
  );
  if (tables.every((table) => table === undefined)) return undefined;
  const rows = tables
    .flatMap((table) => table?.trim().split("\n").slice(1) ?? [])
    .map((row) => row.trim().split(/\s+/));
  const found = rows
    .filter((row) => row[3] === listening && !row[1]?.startsWith(nameServer))
    .map((row) => {
      const [address = "", port = ""] = row[1]?.split(":") ?? [];
      const isLoopback = isLoopbackHex(address);
      return { port: Number.parseInt(port, 16), isLoopback, host: isLoopback ? "127.0.0.1" : "0.0.0.0" };
    });
  return found.filter(
    (each, at) =>
      found.findIndex((other) => other.port === each.port && other.isLoopback === each.isLoopback) === at,
  );
}

/** 127.0.0.1 is 0100007F, and ::1 the number one. */
const isLoopbackHex = (address: string): boolean =>
  /^[0-9A-F]{6}7F$/.test(address) ||
  address === "00000000000000000000000001000000" ||
  /^0000000000000000FFFF0000[0-9A-F]{6}7F$/.test(address);
