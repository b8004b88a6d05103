import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Tools } from "./tools.ts";

export type Measured = { readonly requestsPerSecond: number; readonly p99Ms: number };

/** 64 kept connections, as fast as answers come, for so many seconds. Throws if any answer was not a 2xx or 3xx. */
export async function load({ wrk, env }: Tools, port: number, seconds: number): Promise<Measured> {
  const { stdout } = await promisify(execFile)(
    wrk,
    ["-t1", "-c64", `-d${seconds}s`, "--latency", `http://127.0.0.1:${port}/`],
    { env },
  );
  const wrong = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(stdout);
  const [requests, p99] = [/Requests\/sec:\s+([\d.]+)/.exec(stdout), /99%\s+([\d.]+)(us|ms|s)/.exec(stdout)];
  if (wrong || !requests || !p99) throw new Error(`the load on port ${port} failed: ${wrong?.[0] ?? stdout}`);
  return {
    requestsPerSecond: Number(requests[1]),
    p99Ms: Number(p99[1]) * { us: 0.001, ms: 1, s: 1_000 }[p99[2] as "us" | "ms" | "s"],
  };
}
