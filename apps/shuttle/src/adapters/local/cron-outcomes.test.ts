import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { aService } from "../../../test/desired.ts";
import { keyOf } from "../../core/service-key.ts";
import { noLogs } from "../log-sink.ts";
import { cronBooks } from "./cron-book.ts";
import { cronController } from "./cron-controller.ts";
import type { Engine, Instance, InstanceExit } from "./engine.ts";
import type { ControllerDeps } from "./service-controller.ts";

const service = aService({ image: "image", service_type: "cron", schedule: "0 0 1 1 *" });
const run = {
  run_id: "run-1",
  service_id: service.service_id,
  environment: service.environment,
  scheduled_for: "2026-11-29T08:00:00.000Z",
  started_at: "2026-11-29T08:00:01.000Z",
  ended_at: null,
  outcome: "running",
  reason: null,
} as const;

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "cron-outcomes-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A Shuttle that comes back to a run that was going, and finds its instance running, ended like this, or gone. */
async function comesBackTo(
  found: "running" | "gone" | Partial<InstanceExit>,
  how: "applied" | "left alone" = "applied",
  wanted = service,
) {
  const books = cronBooks(dir, () => undefined);
  const book = books.open(keyOf(service));
  book.record(run);
  books.taken([run]);
  const exited = (exit: Partial<InstanceExit>): InstanceExit => ({
    exitCode: null,
    signal: null,
    isOom: false,
    isLost: false,
    ...exit,
  });
  const instance: Instance = {
    id: "instance",
    labels: { "starform.io/run-id": run.run_id },
    port: null,
    address: null,
    door: null,
    startedAtMs: Date.parse(run.started_at),
    exit: typeof found === "object" ? exited(found) : undefined,
  };
  const instances = found === "gone" ? [] : [instance];
  const engine = {
    hasImage: async () => true,
    find: async () => instances[0],
    remove: async () => void instances.pop(),
    setCpu: async () => undefined,
    async *output() {},
  } as unknown as Engine;
  const deps = { engine, sink: noLogs, outputDir: dir, timings: {}, warn: () => undefined, clusterId: "c" };
  const controller = cronController(deps as unknown as ControllerDeps, book, instances, () => undefined);
  await (how === "applied" ? controller.apply(wanted, 1) : controller.watch(wanted, 1));
  const ends = (exit: Partial<InstanceExit>): void => {
    instances[0] = { ...instance, exit: exited(exit) };
  };
  return { controller, books, ends, told: () => books.pending()[0] };
}

test("how a run ended whose instance is gone is not known", async () => {
  const { told, controller, books } = await comesBackTo("gone");
  expect(told()).toEqual({
    ...run,
    outcome: "unknown",
    reason:
      "nobody looked when it ended, and how it did is not known: what ran was gone when Shuttle came back",
  });
  expect(controller.report()?.runs_known).toEqual([run.run_id]);
  books.taken(books.pending());
  expect(controller.report()?.runs_known).toEqual([]);
  await controller.leave();
});

test("how a run ended that left no exit code behind is not known", async () => {
  const { told, controller } = await comesBackTo({});
  expect(told()).toMatchObject({ outcome: "unknown", ended_at: null });
  expect(told()?.reason).toMatch(/its exit code is not known/);
  await controller.leave();
});

test("a run that was killed or went down with the machine has failed, and one that exited well has not", async () => {
  for (const [exit, outcome] of [
    [{ exitCode: 137, signal: "SIGKILL" }, "failed"],
    [{ isOom: true }, "failed"],
    [{ isLost: true }, "failed"],
    [{ exitCode: 0 }, "succeeded"],
  ] as const) {
    const { told, controller } = await comesBackTo(exit);
    expect(told()).toMatchObject({ outcome, ended_at: expect.any(String) });
    await controller.leave();
    rmSync(dir, { recursive: true, force: true });
  }
});

test("a run that goes on is named, and is told to have been cut off when the platform ends", async () => {
  const { told, controller } = await comesBackTo("running");
  expect(told()).toBeUndefined();
  expect(controller.report()?.runs_known).toEqual([run.run_id]);
  await controller.platformEnds();
  expect(told()).toMatchObject({ outcome: "failed", reason: "it was stopped together with the platform" });
  await controller.leave();
});

test("a run that ended just before the platform does is told as it ended", async () => {
  const { told, controller, ends } = await comesBackTo("running");
  ends({ exitCode: 0 });
  await controller.platformEnds();
  expect(told()).toMatchObject({ outcome: "succeeded", reason: null });
  await controller.leave();
});

test("a run that comes due while its service is left alone is skipped and says why, and one that goes on is seen to its end", async () => {
  const { controller, books, ends } = await comesBackTo("running", "left alone");
  expect(controller.report()).toMatchObject({ phase: "scheduled", runs_known: [run.run_id] });
  books.open(keyOf(service)).setSeenUntil(new Date(Date.now() - 3_000));
  const often = { ...service, schedule: "* * * * * *" };
  ends({ exitCode: 0 });
  controller.ended("instance");
  await controller.watch(often, 2);
  expect(controller.report()).toMatchObject({ observed_version: 1 });
  expect(books.pending()).toEqual([{ ...run, outcome: "succeeded", ended_at: expect.any(String) }]);
  await controller.leave();

  const next = await comesBackTo("gone", "left alone", often);
  next.books.open(keyOf(service)).setSeenUntil(new Date(Date.now() - 3_000));
  await next.controller.watch(often, 2);
  const skipped = next.books.pending().filter(({ outcome }) => outcome === "skipped");
  expect(skipped.length).toBeGreaterThan(0);
  for (const { reason } of skipped) expect(reason).toMatch(/^the service was left as it was/);
  await next.controller.leave();
});
