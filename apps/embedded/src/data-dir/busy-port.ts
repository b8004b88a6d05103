import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { Fault } from "@starform/std/fault";
import { pause } from "@starform/std/retry";
import type { Ports } from "../options/ports.ts";

/** Rejects with one sentence that names the first busy port, who has it if that can be seen, and the way out. */
export async function refuseBusyPorts(
  ports: Ports,
  base: number,
  except: readonly (keyof Ports)[] = [],
): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    if (except.includes(name as keyof Ports) || !(await staysBusy(port))) continue;
    const owner = ownerOf(port);
    const who = owner ? ` by ${owner.name} (process ${owner.pid})` : "";
    throw new Fault(
      "conflict",
      `Port ${port}, which ${name} needs, is in use${who}: stop that, or start with other ports, for example --port-base ${otherBase(base)}.`,
    );
  }
}

/**
 * The sentence for a program that could not listen although its port was free a moment before: taken meanwhile by
 * another program, or by an outgoing connection. Undefined when its last words are about something else.
 */
export function sayPortTaken(words: string, ports: Ports, base: number): string | undefined {
  if (!/EADDRINUSE|address already in use|is used by another program/i.test(words)) return undefined;
  const found = Object.entries(ports).find(([, port]) => new RegExp(`\\b${port}\\b`).test(words));
  if (!found) return undefined;
  const [name, port] = found;
  const owner = ownerOf(port);
  const who = owner ? ` by ${owner.name} (process ${owner.pid})` : "";
  return `Port ${port}, which ${name} needs, was taken${who} while Starform started: stop that, or start with other ports, for example --port-base ${otherBase(base)}.`;
}

const otherBase = (base: number): number => (base + 100 <= 65_000 ? base + 100 : 4400);

/** A process that has just been ended may keep its port for a moment after it is gone; a living one is seen. */
async function staysBusy(port: number): Promise<boolean> {
  for (let look = 0; look < 20; look++) {
    if (!(await isBusy(port))) return false;
    if (ownerOf(port)) return true;
    await pause(100);
  }
  return true;
}

function isBusy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(true))
      .listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/** Who has a port of this machine, listening or as the end of a connection, as far as /proc lets us see. */
export function ownerOf(port: number): { pid: number; name: string } | undefined {
  try {
    const socket = socketAt(port);
    if (!socket) return undefined;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      if (!holds(pid, socket)) continue;
      return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, "utf8").trim() };
    }
  } catch {
    // Not Linux: the port alone is told.
  }
  return undefined;
}

function socketAt(port: number): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = ["tcp", "tcp6"].flatMap((file) =>
    readFileSync(`/proc/net/${file}`, "utf8").split("\n").slice(1),
  );
  const taken = rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local, , , , , , , , inode]) => local?.endsWith(`:${hex}`) && inode !== "0");
  const fields = taken.find(([, , , state]) => state === "0A") ?? taken[0];
  return fields?.[9] && `socket:[${fields[9]}]`;
}

function holds(pid: string, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === socket);
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
