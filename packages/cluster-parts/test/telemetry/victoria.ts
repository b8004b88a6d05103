import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@starform/std/retry";

/** The real programs of Debian's victoria-metrics; never skipped in CI. */
export const hasVictoria: boolean = process.env["CI"]
  ? true
  : ["victoria-metrics", "vmagent", "vmalert"].every(
      (program) => spawnSync(program, ["-version"]).error === undefined,
    );

export type Series = { readonly metric: Readonly<Record<string, string>>; readonly value: number };
export type Victoria = AsyncDisposable & {
  readonly url: string;
  readonly dir: string;
  import(text: string): Promise<void>;
  /** An instant query; a scalar is a series without labels. */
  query(expr: string, atMs?: number): Promise<readonly Series[]>;
  /** Starts another of its programs, which ends with it. */
  run(program: string, args: readonly string[]): ChildProcess;
};

export async function openVictoria(): Promise<Victoria> {
  const dir = mkdtempSync(join(tmpdir(), "starform-victoria-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const children: ChildProcess[] = [];
  const run = (program: string, args: readonly string[]): ChildProcess => {
    const child = spawn(program, [...args, "-loggerLevel=ERROR"], { stdio: "ignore" });
    children.push(child);
    return child;
  };
  run("victoria-metrics", [
    `-storageDataPath=${dir}/data`,
    `-httpListenAddr=${new URL(url).host}`,
    "-memory.allowedBytes=64MB",
    "-search.latencyOffset=0s",
    "-retentionPeriod=1y",
  ]);
  const ask = async (path: string, init?: RequestInit): Promise<string> => {
    const response = await fetch(`${url}${path}`, init);
    const words = await response.text();
    if (!response.ok) throw new Error(`VictoriaMetrics answered ${response.status}: ${words}`);
    return words;
  };
  await until("VictoriaMetrics to answer", () => ask("/health"), { withinMs: 60_000 });
  return {
    url,
    dir,
    run,
    async import(text) {
      await ask("/api/v1/import/prometheus", { method: "POST", body: text });
      await ask("/internal/force_flush");
    },
    async query(expr, atMs = Date.now()) {
      await ask("/internal/force_flush");
      const asked = new URLSearchParams({ query: expr, time: String(atMs / 1_000), nocache: "1" });
      const answer = JSON.parse(await ask(`/api/v1/query?${asked.toString()}`)) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.pid === undefined) return;
          const ended = once(child, "exit");
          child.kill("SIGKILL");
          await ended;
        }),
      );
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Runs a program's own check of a configuration; answers what it complains of. */
export function complaintsOf(program: string, file: string, text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "starform-check-"));
  try {
    writeFileSync(join(dir, file), text);
    const path = join(dir, file);
    const args =
      program === "vmagent"
        ? ["-dryRun", `-promscrape.config=${path}`, "-loggerLevel=ERROR"]
        : ["-dryRun", `-rule=${path}`, "-loggerLevel=ERROR"];
    const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
    return status === 0 ? "" : stderr || `it ended with ${status}`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
