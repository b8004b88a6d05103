import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sayPortTaken } from "../src/data-dir/busy-port.ts";
import { outgoingClash, outgoingPorts } from "../src/options/outgoing-ports.ts";
import { portsFrom } from "../src/options/ports.ts";
import { startOptions } from "../src/options/start-options.ts";

test("ports among those for outgoing connections are told, with a base that is safe", () => {
  const range = [32_768, 60_999] as const;
  for (const base of [4_400, 32_758, 61_000]) expect(outgoingClash(base, base + 9, range)).toBeUndefined();
  for (const base of [32_759, 40_000, 60_999])
    expect(outgoingClash(base, base + 9, range)).toContain("(32768 to 60999)");
  expect(outgoingClash(40_000, 40_009, range)).toContain("--port-base 32758 or lower is safe");
  expect(outgoingClash(40_000, 40_009, [1_024, 60_999])).toContain("--port-base 61000 or higher is safe");
  expect(outgoingClash(40_000, 40_009, undefined)).toBe(outgoingClash(40_000, 40_009, outgoingPorts()));
});

test("what a system does not tell is no reason to warn", () => {
  const dir = mkdtempSync(join(tmpdir(), "starform-ports-"));
  try {
    writeFileSync(join(dir, "range"), "32768\t60999\n");
    expect(outgoingPorts(join(dir, "range"))).toEqual([32_768, 60_999]);
    expect(outgoingPorts(join(dir, "none"))).toBeUndefined();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("the last base leaves room for every port", () => {
  const env = { INIT_CWD: "/" };
  const last = 65_535 - Object.keys(portsFrom(0)).length + 1;
  expect(startOptions({ "port-base": String(last) }, env, "/").portBase).toBe(last);
  expect(Math.max(...Object.values(portsFrom(last)))).toBe(65_535);
  expect(() => startOptions({ "port-base": String(last + 1) }, env, "/")).toThrow(`from 1 to ${last}`);
});

test("a port that was taken in the meantime is named, with who has it and the way out", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ports = { ...portsFrom(4_400), api: port };
  const me = process.platform === "linux" ? `(process ${process.pid})` : "was taken";
  const words = `api does not stay up: it exited with code 1. Its last words:\n  Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}`;
  try {
    const said = sayPortTaken(words, ports, 4_400);
    expect(said).toMatch(new RegExp(`^Port ${port}, which api needs, was taken.* --port-base 4500\\.$`));
    expect(said).toContain(me);
    expect(sayPortTaken("api exited with code 1: the disk is full", ports, 4_400)).toBeUndefined();
    expect(sayPortTaken("listen EADDRINUSE: 127.0.0.1:1", ports, 4_400)).toBeUndefined();

    // The end of a connection holds its port as well.
    const client = connect({ port, host: "127.0.0.1" });
    await once(client, "connect");
    const outgoing = client.localPort!;
    const taken = sayPortTaken(`EADDRINUSE ${outgoing}`, { ...ports, worker: outgoing }, 4_400);
    expect(taken).toContain(`Port ${outgoing}, which worker needs`);
    expect(taken).toContain(me);
    client.destroy();
  } finally {
    server.close();
  }
});
