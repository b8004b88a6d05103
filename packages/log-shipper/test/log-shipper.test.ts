import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause } from "@starform/std/retry";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Batch } from "../src/disk-buffer.ts";
import type { Outcome } from "../src/insert-rows.ts";
import { openLogShipper, type LogLine, type LogShipperOptions } from "../src/log-shipper.ts";
import { lineOf, messageBytesMax } from "../src/log-line.ts";

/** A store that remembers, deduplicates by token as the real one does, and can be away. */
const aStore = () => {
  const store = {
    isAway: false,
    refuses: false,
    tokens: new Set<string>(),
    lines: [] as LogLine[],
    inserts: 0,
  };
  const insert = async ({ rows, token }: Batch): Promise<Outcome> => {
    store.inserts += 1;
    if (store.isAway) return { kind: "failed", why: "the store is away" };
    if (store.refuses) return { kind: "refused", why: "Code: 27." };
    if (store.tokens.has(token)) return { kind: "stored" };
    store.tokens.add(token);
    for (const row of rows.trimEnd().split("\n")) store.lines.push(lineOf(row));
    return { kind: "stored" };
  };
  return { store, insert };
};

let seq = 0;
const aLine = (line: Partial<LogLine> = {}): LogLine => ({
  tsMs: 1_800_000_000_000 + seq,
  workspaceId: "w",
  projectId: "p",
  environment: "production",
  serviceId: "web",
  level: "info",
  message: `line ${seq}`,
  stream: "stdout",
  seq: seq++,
  ...line,
});
const messages = (lines: LogLine[]): string[] => lines.map((line) => line.message);
const isGap = (line: LogLine): boolean => line.attributes?.gap === true;
const gapCount = (lines: LogLine[]): number =>
  lines.filter(isGap).reduce((sum, line) => sum + Number(line.attributes?.count), 0);

describe("the log shipper", { timeout: 30_000 }, () => {
  let bufferDir: string;
  beforeEach(async () => (bufferDir = await mkdtemp(join(tmpdir(), "starform-shipper-"))));
  afterEach(() => rm(bufferDir, { recursive: true, force: true }));
  const open = (
    insert: (batch: Batch) => Promise<Outcome>,
    options: Partial<LogShipperOptions> = {},
    now?: () => number,
  ) =>
    openLogShipper(
      { url: "http://127.0.0.1:9", user: "u", password: "p", bufferDir, ...options },
      { insert, ...(now ? { now } : {}) },
    );

  test("sends lines in their order and few inserts", async () => {
    const { store, insert } = aStore();
    await using shipper = open(insert);
    const lines = Array.from({ length: 5_000 }, () => aLine());
    for (const line of lines) shipper.ship(line);
    await shipper.flush();
    expect(messages(store.lines)).toEqual(messages(lines));
    expect(store.inserts).toBeLessThan(5);
  });

  test("keeps lines on disk while the store is away, and sends them in order when it is back", async () => {
    const { store, insert } = aStore();
    const said: string[] = [];
    await using shipper = open(insert, { onError: (message) => said.push(message) });
    store.isAway = true;
    const lines = Array.from({ length: 300 }, () => aLine());
    for (const line of lines.slice(0, 200)) shipper.ship(line);
    await shipper.flush();
    expect(await readdir(bufferDir)).not.toEqual([]);
    for (const line of lines.slice(200)) shipper.ship(line);
    store.isAway = false;
    await expect.poll(() => messages(store.lines), { timeout: 15_000 }).toEqual(messages(lines));
    await expect.poll(() => readdir(bufferDir), { timeout: 15_000 }).toEqual([]);
    expect(said).toEqual(["the store is away"]);
    expect(shipper.dropped).toBe(0);
  });

  test("a new process sends what the last one left, once, though the last one's insert had arrived unseen", async () => {
    const { store, insert } = aStore();
    const lines = [aLine(), aLine()];
    {
      await using first = open(async (batch) => {
        await insert(batch);
        return { kind: "failed", why: "the answer was lost" };
      });
      for (const line of lines) first.ship(line);
    }
    await using second = open(insert);
    const later = aLine();
    second.ship(later);
    await expect.poll(() => messages(store.lines), { timeout: 15_000 }).toEqual(messages([...lines, later]));
  });

  test("one noisy service spends its own budget only, keeps its errors, and its gap is told", async () => {
    const { store, insert } = aStore();
    let nowMs = 1_800_000_000_000;
    await using shipper = open(insert, { budget: { linesPerSecond: 100, burstLines: 200 } }, () => nowMs);
    for (let i = 0; i < 1_000; i++) shipper.ship(aLine({ serviceId: "noisy" }));
    for (let i = 0; i < 20; i++)
      shipper.ship(aLine({ serviceId: "noisy", level: "error", message: "it broke" }));
    for (let i = 0; i < 150; i++) shipper.ship(aLine({ serviceId: "quiet" }));
    await shipper.flush();
    const of = (serviceId: string) => store.lines.filter((line) => line.serviceId === serviceId);
    expect(of("quiet")).toHaveLength(150);
    expect(of("noisy").filter((line) => line.level === "error")).toHaveLength(20);
    expect(gapCount(of("noisy"))).toBe(800);
    expect(shipper.dropped).toBe(800);
    const gap = of("noisy").find(isGap);
    expect(gap).toMatchObject({
      stream: "system",
      level: "warn",
      projectId: "p",
      environment: "production",
      workspaceId: "w",
    });
    expect(gap?.message).toMatch(
      /^800 lines were dropped between 2027-.+Z and 2027-.+Z: the service writes more lines/,
    );
    nowMs += 1_000;
    for (let i = 0; i < 150; i++) shipper.ship(aLine({ serviceId: "noisy", message: "later" }));
    await shipper.flush();
    expect(of("noisy").filter((line) => line.message === "later")).toHaveLength(100);
  });

  test("what a full buffer cannot keep is told of when the store is back, even by the next process", async () => {
    const { store, insert } = aStore();
    store.isAway = true;
    const total = 400;
    {
      await using shipper = open(insert, { bufferBytesMax: 20_000 });
      for (let i = 0; i < total; i++) {
        shipper.ship(aLine({ message: "x".repeat(200) }));
        if (i % 50 === 49) await shipper.flush();
      }
      expect(shipper.dropped).toBeGreaterThan(0);
    }
    store.isAway = false;
    await using _next = open(insert);
    await expect
      .poll(() => store.lines.filter((line) => !isGap(line)).length + gapCount(store.lines), {
        timeout: 15_000,
      })
      .toBe(total);
  });

  test("lines that come faster than a slow store takes them wait on disk, none is dropped", async () => {
    const { store, insert } = aStore();
    const mayAnswer = Promise.withResolvers<void>();
    await using shipper = open(
      async (batch) => {
        await mayAnswer.promise;
        return insert(batch);
      },
      { budget: { linesPerSecond: 1e6 } },
    );
    const total = 40_000;
    for (let i = 0; i < total; i++) shipper.ship(aLine({ message: "x".repeat(1_000) }));
    await expect
      .poll(() => readdir(bufferDir).then((names) => names.length), { timeout: 15_000 })
      .toBeGreaterThan(3);
    mayAnswer.resolve();
    await expect.poll(() => store.lines.length, { timeout: 20_000 }).toBe(total);
    expect(store.lines.every((line, n) => n === 0 || line.seq > store.lines[n - 1]!.seq)).toBe(true);
    expect(shipper.dropped).toBe(0);
  });

  test("what a noisy service writes while the store is away leaves few files, each an insert before all others", async () => {
    const { store, insert } = aStore();
    store.isAway = true;
    await using shipper = open(insert);
    const beganMs = performance.now();
    const lines: LogLine[] = [];
    for (let round = 0; round < 100; round++) {
      const line = aLine({ serviceId: round % 2 ? "noisy" : "quiet" });
      lines.push(line);
      shipper.ship(line);
      await pause(10);
    }
    await shipper.flush();
    const files = (await readdir(bufferDir)).length;
    expect(files).toBeLessThanOrEqual(4 + (performance.now() - beganMs) / 1_000);
    store.isAway = false;
    await expect.poll(() => messages(store.lines), { timeout: 15_000 }).toEqual(messages(lines));
  });

  test("rows the store refuses become a gap and do not hold up the next ones", async () => {
    const { store, insert } = aStore();
    await using shipper = open(insert);
    store.refuses = true;
    shipper.ship(aLine());
    await shipper.flush();
    store.refuses = false;
    const next = aLine();
    shipper.ship(next);
    await shipper.flush();
    expect(messages(store.lines)).toContain(next.message);
    expect(gapCount(store.lines)).toBe(1);
  });

  test("takes any line without throwing: a long one is cut with a mark, a broken one is mended", async () => {
    const { store, insert } = aStore();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    await using shipper = open(insert);
    shipper.ship(aLine({ message: "é".repeat(messageBytesMax) }));
    shipper.ship(aLine({ message: "half \uD83D", tsMs: Number.NaN, seq: -1, attributes: circle }));
    await shipper.flush();
    const [long, broken] = store.lines;
    expect(Buffer.byteLength(long?.message ?? "")).toBeLessThan(messageBytesMax + 200);
    expect(long?.message).toContain(`the line was ${2 * messageBytesMax} bytes`);
    expect(broken).toMatchObject({ message: "half \uFFFD", seq: 0 });
  });
});
