/**
 * The gateway beside Debian's nginx and Caddy: the same upstream (1 KiB answers), the same load, one core each, in
 * turn within each round. A figure is the median of the rounds' ratios, so that a busy moment spoils one round only.
 */
import type { Figure } from "./figure.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load, type Measured } from "./gateway/load.ts";
import { startProxies } from "./gateway/proxies.ts";
import { findTools } from "./gateway/tools.ts";

type Round = { readonly nginx: Measured; readonly gateway: Measured; readonly caddy: Measured | undefined };

/** Many short rounds: what else the machine does then weighs on all three alike. */
const [rounds, seconds] = [15, 1];

export async function run(): Promise<Figure[]> {
  const tools = findTools(join(import.meta.dirname, "../node_modules/.cache/gateway-bench"));
  const dir = mkdtempSync(join(tmpdir(), "gateway-bench-"));
  try {
    await using proxies = await startProxies(tools, dir);
    const { nginx, caddy, gateway } = proxies.ports;
    const round = async (): Promise<Round> => ({
      nginx: await load(tools, nginx, seconds),
      gateway: await load(tools, gateway, seconds),
      caddy: caddy === undefined ? undefined : await load(tools, caddy, seconds),
    });
    await round(); // Warm: the gateway's code is compiled while it runs.
    const seen: Round[] = [];
    while (seen.length < rounds) seen.push(await round());
    return figures(seen);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function figures(seen: readonly Round[]): Figure[] {
  const requests = median(seen.map(({ gateway }) => gateway.requestsPerSecond));
  const p99 = median(seen.map(({ gateway }) => gateway.p99Ms));
  const ratio = (of: (round: Round) => number): number => median(seen.map(of));
  const overNginx = ratio(({ gateway, nginx }) => gateway.requestsPerSecond / nginx.requestsPerSecond);
  const all = [
    {
      name: "gateway requests/s over nginx",
      value: requests,
      unit: "requests/s",
      ratio: overNginx,
      target: 0.45,
      ok: overNginx >= 0.45,
    },
  ];
  if (seen.some(({ caddy }) => caddy === undefined)) return all;
  const overCaddy = ratio(
    ({ gateway, caddy }) => gateway.requestsPerSecond / (caddy?.requestsPerSecond ?? 0),
  );
  const p99OverCaddy = ratio(({ gateway, caddy }) => gateway.p99Ms / (caddy?.p99Ms ?? 0));
  return [
    {
      name: "gateway requests/s over Caddy",
      value: requests,
      unit: "requests/s",
      ratio: overCaddy,
      target: 1.5,
      ok: overCaddy >= 1.5,
    },
    ...all,
    {
      name: "gateway p99 over Caddy",
      value: p99,
      unit: "ms",
      ratio: p99OverCaddy,
      target: 1,
      ok: p99OverCaddy <= 1,
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
