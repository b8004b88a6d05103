import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildAllowances } from "@starform/contract/plans";
import { isFullDisk } from "@starform/std/full-disk";
import { hasWayOut } from "@starform/testkit/way-out";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { engineDisk } from "../src/adapters/buildkit/engine-disk.ts";
import { bothLimits, machineLimits } from "../src/adapters/process-builder/build-limits.ts";
import type { BuildStopped } from "../src/adapters/process-builder/build-stopped.ts";
import { watchLimits } from "../src/adapters/process-builder/watch-limits.ts";
import { uploads } from "../src/adapters/sources/uploads.ts";
import { buildServer } from "../src/http/server.ts";
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
