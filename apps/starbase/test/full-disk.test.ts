import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { buildAllowances } from "@starform/contract/plans";
import { isFullDisk } from "@starform/std/full-disk";
import { until } from "@starform/std/retry";
import { hasWayOut } from "@starform/testkit/way-out";
import Fastify from "fastify";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { engineDisk } from "../src/adapters/buildkit/engine-disk.ts";
import { bothLimits, machineLimits } from "../src/adapters/process-builder/build-limits.ts";
import type { BuildStopped } from "../src/adapters/process-builder/build-stopped.ts";
import { watchLimits } from "../src/adapters/process-builder/watch-limits.ts";
import { gitHttpBackend } from "../src/adapters/sources/git-http-backend.ts";
import { folderSourceStore } from "../src/adapters/sources/source-store.ts";
import { tellFullDisk } from "../src/adapters/sources/tell-full-disk.ts";
import { uploads } from "../src/adapters/sources/uploads.ts";
import { gitRoutes } from "../src/http/git.ts";
import { buildServer } from "../src/http/server.ts";
import { aRepository } from "./git-http.ts";
import { memoryHeadLedger } from "./memory-head-ledger.ts";
import { inPieces, tarOf } from "./tar-file.ts";

const fault = (code: string) => Object.assign(new Error(`${code}: no space left`), { code });
let dir: string;
beforeAll(() => void (dir = mkdtempSync(path.join(tmpdir(), "full-disk-"))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each(["ENOSPC", "EDQUOT", "53100"])(
  "%s is told in one sentence, and not as ours to mend",
  async (code) => {
    await using app = buildServer({ logger: pino({ level: "silent" }) });
    app.post("/sources", () => Promise.reject(new Error("the query failed", { cause: fault(code) })));
    const answer = await app.inject({ method: "POST", url: "/sources" });
    expect(answer.statusCode).toBe(507);
    const { code: told, detail } = answer.json<{ code: string; detail: string }>();
    expect(told).toBe("disk_full");
    expect(detail).toMatch(/disk of this platform is full/);
    expect(detail).toSatisfy(hasWayOut);
  },
);

test.each(["write", "sync"] as const)(
  "an upload whose %s meets a full disk leaves no draft",
  async (call) => {
    const full = () => Promise.reject(fault("ENOSPC"));
    const store = uploads(dir, undefined, async (file, flags, mode) => {
      const handle = await open(file, flags, mode);
      return Object.assign(handle, { [call]: full });
    });
    const serviceId = randomUUID();
    const saving = store.save(serviceId, inPieces(tarOf([{ name: "a", text: "x".repeat(5_000) }])));
    expect(isFullDisk(await saving.catch((error: unknown) => error))).toBe(true);
    expect(await readdir(path.join(dir, serviceId))).toEqual([]);
  },
);

const packet = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;
const ours = packet(
  "\u0002the disk of this platform is full, so nothing was kept: its operator must free some space, then try again\n",
);
const before = packet("\u0002Unpacking objects\n");
const full = packet("\u0002fatal: write error: No space left on device\n");
const end = `${packet("\u0001unpack abnormal exit\n")}0000`;

test.each([1, 7, 10_000])(
  "a push that meets a full disk is told in our words too, in pieces of %d bytes",
  async (size) => {
    const toldOf = async (answer: string) => {
      const pieces = async function* () {
        for (let at = 0; at < answer.length; at += size) yield Buffer.from(answer.slice(at, at + size));
      };
      return Buffer.concat(await Array.fromAsync(tellFullDisk(pieces()))).toString();
    };
    expect(await toldOf(before + full + full + end)).toBe(before + full + ours + full + end);
    const kept = packet("\u0001000eunpack ok\n0000");
    for (const other of [before + end, "no packets at all", `${before}00`, `${before}${kept}${full}0000`])
      expect(await toldOf(other)).toBe(other);
  },
);

/**
 * Where this may mount a disk of its own: as root on Linux, outside of a sandbox. Elsewhere none, and a failure where
 * `CI` is set, so that a gate which tests nothing cannot pass.
 */
const smallDiskInCi = (at: string) =>
  smallDisk(at).catch((cause: unknown) => {
    if (process.env["CI"]) throw new Error("CI must see a push meet a full disk: run as root", { cause });
    return undefined;
  });

const smallDisk = async (at: string) => {
  await mkdir(at, { recursive: true });
  await promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at]);
  return { [Symbol.asyncDispose]: async () => void (await promisify(execFile)("umount", ["-l", at])) };
};

test("git shows a person who pushes to a full disk what to do", async ({ skip }) => {
  const gitDir = path.join(dir, "git");
  await using disk = await smallDiskInCi(gitDir);
  if (!disk) return skip();
  const repositories = folderSourceStore({
    gitDir,
    sourcesDir: path.join(dir, "sources"),
    isFileAllowed: true,
  });
  const app = Fastify();
  gitRoutes(app, {
    authorize: async () => ({ serviceId: "4f6c1f0a-0000-4000-8000-000000000000" }),
    backend: gitHttpBackend({ hooksDir: path.join(gitDir, "hooks"), repositories, log: () => undefined }),
    whileAllowed: (caller, work) => work(caller.signal),
    commitOf: repositories.commitOf,
    ledger: memoryHeadLedger(() => 0),
    push: async () => [],
    follow: () => Promise.reject(new Error("nothing was pushed")),
  });
  await using _listening = { [Symbol.asyncDispose]: () => app.close() };
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  await using own = await aRepository({ big: randomBytes(2 ** 20).toString("base64") });
  const { code, text } = await own.git("push", `${address}/git/shop/web.git`, "main");
  expect(code).not.toBe(0);
  expect(text).toMatch(
    /^remote: fatal: .*No space left on device\s*\nremote: the disk of this platform is full, .*try again/m,
  );
});

const limits = bothLimits(machineLimits(), buildAllowances.hobby);
type Watch = (end: (stopped: BuildStopped) => void, freeBytes: () => Promise<number>) => Disposable;
const watches: [executor: string, watch: Watch][] = [
  [
    "of processes",
    (end, freeBytes) => watchLimits({ limits, cgroup: undefined, folders: [dir], freeBytes }, end),
  ],
  [
    "of an engine",
    (end, freeBytes) =>
      engineDisk(dir, () => new Set(), freeBytes).watch({ diskBytesMax: limits.diskBytesMax, end }),
  ],
];
test.each(watches)("a build %s is stopped before it takes the last space of the disk", async (_, watch) => {
  const { promise, resolve } = Promise.withResolvers<BuildStopped>();
  using _watching = watch(resolve, async () => 100 * 2 ** 20);
  const { message } = await promise;
  expect(message).toContain("this machine's disk is nearly full (100 MiB are left)");
  expect(message).toSatisfy(hasWayOut);
});

test("of the builds in an engine whose disk is nearly full the one that wrote most ends, and the others go on", async () => {
  const layers = ["small", "large"].map((name) => path.join(dir, name));
  for (const [at, layer] of layers.entries()) {
    mkdirSync(layer);
    writeFileSync(path.join(layer, "file"), Buffer.alloc(at * 2_000_000 + 1_000));
  }
  let looks = 0;
  const disk = engineDisk(
    dir,
    () => new Set(),
    async () => ((looks += 1), 100 * 2 ** 20),
  );
  const ended: string[] = [];
  const writers = layers.map((layer) => {
    const writer = disk.watch({
      diskBytesMax: limits.diskBytesMax,
      end: () => void ended.push(path.basename(layer)),
    });
    writer.began({ mark: undefined, layers: [layer], caches: [] });
    return writer;
  });
  await until("it was looked at again, with room not made yet", () => looks > 3);
  expect(ended).toEqual(["large"]);
  for (const writer of writers) writer[Symbol.dispose]();
});
