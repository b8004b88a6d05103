import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DesiredService } from "@starform/contract/clusters";
import { expect, test } from "vitest";
import type { ServiceKey } from "../../core/service-key.ts";
import { cronBooks } from "./cron-book.ts";
import { cronController } from "./cron-controller.ts";
import { describeEnding } from "./describe-ending.ts";
import type { Engine } from "./engine.ts";
import type { LiveInstance } from "./live-instance.ts";
import type { ControllerDeps } from "./service-controller.ts";

const hourMs = 3_600_000;

test("an instance that began in the future, by a clock that was put back, ran no negative time", async () => {
  const live = {
    instance: { labels: { tier: "nova", "memory-bytes": "1" }, startedAtMs: Date.now() + hourMs },
    pump: { done: Promise.resolve(), note: () => undefined, lastLine: () => undefined, lastLines: () => [] },
  } as unknown as LiveInstance;
  const exit = { exitCode: 1, signal: null, isOom: false, isLost: false };
  expect((await describeEnding(live, exit, "node server.js")).reason).toBe(
    "exited with code 1 after 0.0 s: see why with starform logs",
  );
});

test("runs that a clock set forward has passed are not told as Shuttle's absence alone", async () => {
  const dir = mkdtempSync(join(tmpdir(), "clock-jumps-"));
  try {
    const books = cronBooks(dir, () => undefined);
    const book = books.open("service/production" as ServiceKey);
    const now = Date.now();
    book.setSeenUntil(new Date(now - 3 * hourMs));
    const deps = { engine: { hasImage: async () => true } as unknown as Engine, warn: () => undefined };
    const controller = cronController(deps as unknown as ControllerDeps, book, [], () => undefined);
    const halfAnHourAgo = new Date(now - hourMs / 2).getUTCMinutes();
    const service = {
      service_id: "service",
      environment: "production",
      image: "image",
      schedule: `${halfAnHourAgo} * * * *`,
    } as unknown as DesiredService;
    await controller.apply(service, 1);
    const [first, ...more] = books.pending();
    expect(more).toHaveLength(2);
    expect(first).toMatchObject({
      outcome: "skipped",
      reason: expect.stringMatching(/^Shuttle was not running at that time, or the clock .* was moved/),
    });
    await controller.leave();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
