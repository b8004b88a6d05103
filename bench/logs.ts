import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLogShipper, type LogLine } from "@starform/log-shipper/log-shipper";
import { rowOf } from "@starform/log-shipper/log-line";
import { telemetryProcess, type TelemetryProcess } from "@starform/testkit/telemetry-process";
import { clickhouseLogStore } from "../apps/starbase/src/adapters/clickhouse/log-store.ts";
import type { LogScope, LogStore } from "../apps/starbase/src/ports/log-store.ts";
import { atLeast, atMost, median, percentile, type Figure } from "./figure.ts";
import { targetMs, wholeWay } from "./logs/whole-way.ts";

export type LogsOptions = { readonly lines?: number; readonly tailSeconds?: number };

const services = 200;
const batchLines = 10_000;

/** A line's whole way on a real platform, and the store's part of it side by side with the raw store in the same run. */
export async function run({ lines = 1_000_000, tailSeconds = 10 }: LogsOptions = {}): Promise<Figure[]> {
  return [...(await storePart(lines, tailSeconds)), await wholeWay(tailSeconds)];
}

async function storePart(lines: number, tailSeconds: number): Promise<Figure[]> {
  await using telemetry = await telemetryProcess();
  await using store = clickhouseLogStore(telemetry);
  await store.ensureSchema();
  const bufferDir = await mkdtemp(join(tmpdir(), "starform-bench-"));
  try {
    return [
      await ingest(telemetry, bufferDir, lines),
      ...(await reads(telemetry, store, lines)),
      await tail(telemetry, store, bufferDir, tailSeconds),
    ];
  } finally {
    await rm(bufferDir, { recursive: true, force: true });
  }
}

/** Half of the lines raw and half shipped, taking turns, so that merges and neighbours disturb both alike. */
async function ingest(telemetry: TelemetryProcess, bufferDir: string, lines: number): Promise<Figure> {
  const [turns, startMs] = [10, Date.now() - 3_600_000];
  const each = Math.ceil(lines / turns / 2 / batchLines) * batchLines;
  let [rawMs, shippedMs, seq] = [0, 0, 0];
  for (let turn = 0; turn < turns; turn++) {
    const bodies: string[] = [];
    for (let n = 0; n < each; n += batchLines)
      bodies.push(`${Array.from({ length: batchLines }, () => rowOf(aLine(seq++, startMs))).join("\n")}\n`);
    rawMs += await timed(async () => {
      for (const body of bodies) await insertRaw(telemetry, body);
    });
    const shipped = Array.from({ length: each }, () => aLine(seq++, startMs));
    const shipper = openLogShipper({ ...telemetry, bufferDir, budget: { linesPerSecond: 1e9 } });
    shippedMs += await timed(async () => {
      for (const [n, line] of shipped.entries()) {
        shipper.ship(line);
        // A program that logs also does other things: the loop is given up as it would be.
        if (n % 1_000 === 999) await new Promise(setImmediate);
      }
      await shipper.flush();
    });
    if (shipper.dropped > 0) throw new Error(`${shipper.dropped} lines were dropped`);
    await shipper[Symbol.asyncDispose]();
  }
  const perSecond = (each * turns * 1_000) / shippedMs;
  return atLeast("logs ingested", perSecond, "lines/s", rawMs / shippedMs, 0.8);
}

async function reads(telemetry: TelemetryProcess, store: LogStore, lines: number): Promise<Figure[]> {
  const scope = scopeOf(7);
  const where = "project_id = 'project-7' AND environment = 'production' AND service_id = 'service-7'";
  const columns =
    "ts, service_id, level, stream, message, seq, instance_id, deployment_id, build_id, attributes";
  const raw = (more: string) => () =>
    ask(
      telemetry,
      `SELECT ${columns} FROM logs.customer_logs WHERE ${where} ${more} ORDER BY ts DESC, seq DESC LIMIT 100 FORMAT JSONEachRow`,
    );
  const last = await sideBySide(raw(""), () => store.last(scope, {}, 100));
  const text = "payment of order";
  const search = await sideBySide(raw(`AND positionCaseInsensitiveUTF8(message, '${text}') > 0`), () =>
    store.last(scope, { text }, 100),
  );
  const among = `among ${Math.round(lines / 1_000)}k lines`;
  return [
    atMost(`last 100 lines of a service ${among}`, last.ms, "ms", last.ratio, 1.3),
    atMost(`text search of a service ${among}`, search.ms, "ms", search.ratio, 1.3),
  ];
}

/** From the call of `ship` to the reader's hand, at 1,000 lines a second of one service. */
async function tail(
  telemetry: TelemetryProcess,
  store: LogStore,
  bufferDir: string,
  seconds: number,
): Promise<Figure> {
  const scope = { ...scopeOf(0), projectId: "tail" };
  const ended = new AbortController();
  const total = seconds * 1_000;
  const shippedAt: number[] = [];
  const tookMs: number[] = [];
  const reading = (async () => {
    for await (const batch of store.tail(scope, {}, ended.signal)) {
      for (const { seq } of batch) tookMs.push(performance.now() - shippedAt[seq]!);
      if (tookMs.length >= total) return;
    }
  })();
  await using shipper = openLogShipper({ ...telemetry, bufferDir });
  await sleep(500);
  const startedAt = performance.now();
  for (let seq = 0; seq < total;) {
    for (const due = Math.min(total, performance.now() - startedAt); seq < due; seq++) {
      shippedAt.push(performance.now());
      shipper.ship({
        ...aLine(0, Date.now()),
        projectId: "tail",
        serviceId: "service-0",
        seq,
        tsMs: Date.now(),
      });
    }
    await sleep(5);
  }
  await Promise.race([reading, sleep(30_000)]);
  ended.abort();
  if (tookMs.length !== total) throw new Error(`the tail showed ${tookMs.length} of ${total} lines`);
  const p95 = percentile(tookMs, 0.95);
  return atMost("store part: shipper to tail p95 at 1,000 lines/s", p95, "ms", p95 / targetMs, 1);
}

const words =
  "payment of order accepted rejected cache miss hit for user request completed in retrying connection pool timeout".split(
    " ",
  );
function aLine(n: number, startMs: number): LogLine {
  const service = n % services;
  let hash = (n * 2_654_435_761) >>> 0;
  const message = Array.from(
    { length: 20 },
    () => words[(hash = (hash * 1_103_515_245 + 12_345) >>> 0) % words.length],
  ).join(" ");
  return {
    tsMs: startMs + Math.floor(n / 1_000) * 3,
    workspaceId: "workspace",
    projectId: `project-${service}`,
    environment: "production",
    serviceId: `service-${service}`,
    level: n % 50 ? "info" : "error",
    message: n % 977 ? `${message} id=${n.toString(36)}` : `${message} payment of order ${n}`,
    stream: "stdout",
    seq: n,
    instanceId: `instance-${service}`,
    deploymentId: `deployment-${service}`,
  };
}

const scopeOf = (service: number): LogScope => ({
  workspaceId: "workspace",
  projectId: `project-${service}`,
  environment: "production",
  serviceIds: [`service-${service}`],
  keptSince: new Date(0),
});

async function ask({ url, user, password }: TelemetryProcess, query: string, body?: string): Promise<string> {
  const asked = new URL(url);
  if (body !== undefined) asked.search = new URLSearchParams({ query }).toString();
  const response = await fetch(asked, {
    method: "POST",
    body: body ?? query,
    headers: { "x-clickhouse-user": user, "x-clickhouse-key": password },
  });
  const words = await response.text();
  if (!response.ok) throw new Error(words);
  return words;
}
const insertRaw = (telemetry: TelemetryProcess, body: string): Promise<string> =>
  ask(telemetry, "INSERT INTO logs.customer_logs FORMAT JSONEachRow", body);

/** Medians of both, asked in turns that change their order; the first few are only to warm up. */
async function sideBySide(
  peer: () => Promise<unknown>,
  ours: () => Promise<unknown>,
): Promise<{ ms: number; ratio: number }> {
  const [peerMs, ourMs]: [number[], number[]] = [[], []];
  for (let n = 0; n < 110; n++) {
    const first = n % 2 === 0 ? await timed(peer) : await timed(ours);
    const second = n % 2 === 0 ? await timed(ours) : await timed(peer);
    if (n < 10) continue;
    peerMs.push(n % 2 === 0 ? first : second);
    ourMs.push(n % 2 === 0 ? second : first);
  }
  return { ms: median(ourMs), ratio: median(ourMs) / median(peerMs) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
