import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { steppedClock } from "../../src/kubernetes/clock.ts";
import { asObjects, at, type JsonObject } from "../../src/kubernetes/model/json.ts";
import type { Stored } from "../../src/kubernetes/model/object.ts";
import { openFakeKubernetes, type FakeKubernetes } from "../../src/kubernetes/open-fake-kubernetes.ts";

let fake: FakeKubernetes;
beforeEach(async () => {
  fake = await openFakeKubernetes({ clock: steppedClock(new Date("2026-11-29T08:02:00Z")), bundles: [] });
});
afterEach(() => fake[Symbol.asyncDispose]());

const template = {
  spec: { restartPolicy: "Never", containers: [{ name: "main", image: "registry.example/job:1" }] },
};
const jobs = (): readonly Stored[] => fake.client.list("batch/v1", "Job", "default");
const pods = (): readonly Stored[] => fake.client.list("v1", "Pod", "default");
const ended = (job: Stored | undefined) =>
  asObjects(at(job, "status", "conditions"))
    .filter(({ status }) => status === "True")
    .map(({ type, reason }) => `${String(type)} ${String(reason)}`);
const aJob = (spec: JsonObject) =>
  fake.client.create({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "one", namespace: "default" },
    spec: { template, ...spec },
  });
const aCron = (spec: JsonObject = {}) =>
  fake.client.create({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "nightly", namespace: "default" },
    spec: {
      schedule: "*/5 * * * *",
      concurrencyPolicy: "Forbid",
      jobTemplate: { spec: { backoffLimit: 0, template } },
      ...spec,
    },
  });

describe("a job", () => {
  test("is complete when its pod has ended well", async () => {
    aJob({});
    await fake.settle();
    expect(ended(jobs()[0])).toEqual([
      "SuccessCriteriaMet CompletionsReached",
      "Complete CompletionsReached",
    ]);
    expect(jobs()[0]?.["status"]).toMatchObject({ succeeded: 1, completionTime: "2026-11-29T08:02:00Z" });
  });

  test("whose pod is refused begins and waits, and only an event tells why", async () => {
    fake.client.create({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "none", namespace: "default" },
      spec: { hard: { pods: "0" } },
    });
    await fake.settle();
    aJob({});
    await fake.advance(1_000);
    expect(pods()).toEqual([]);
    expect(ended(jobs()[0])).toEqual([]);
    expect(jobs()[0]?.["status"]).toMatchObject({ startTime: "2026-11-29T08:02:00Z" });
    const events = fake.client
      .list("v1", "Event", "default")
      .filter(({ reason }) => reason === "FailedCreate");
    expect(events[0]).toMatchObject({
      type: "Warning",
      involvedObject: { kind: "Job", name: "one" },
      message: expect.stringMatching(/^Error creating: pods "one-[a-z0-9]{5}" is forbidden: exceeded quota/),
    });
  });

  test("fails after as many tries as it may have, with a wait before each", async () => {
    fake.pods.script({ image: "job:1" }, { exit: { code: 1 } });
    aJob({ backoffLimit: 2 });
    await fake.advance(5_000);
    expect(pods()).toHaveLength(1);
    await fake.advance(60_000);
    expect(pods()).toHaveLength(3);
    expect(ended(jobs()[0])).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
  });

  test("counts a pod that is deleted as failed at once, and has failed once that is gone", async () => {
    fake.pods.script({ image: "job:1" }, { exit: { code: 0, afterMs: 3_600_000 }, stopMs: 5_000 });
    aJob({ backoffLimit: 0 });
    await fake.advance(5_000);
    const [pod] = pods();
    fake.client.remove({ apiVersion: "v1", kind: "Pod", name: pod!.metadata.name });
    await fake.advance(1_000);
    expect(ended(jobs()[0])).toEqual(["FailureTarget BackoffLimitExceeded"]);
    expect(pods().map(({ metadata }) => metadata.finalizers)).toEqual([undefined]);
    await fake.advance(10_000);
    expect(ended(jobs()[0])).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    expect(jobs()[0]?.["status"]).toMatchObject({ failed: 1 });
    expect(pods()).toEqual([]);
  });

  test("fails when it runs longer than it may", async () => {
    fake.pods.script({ image: "job:1" }, { exit: { code: 0, afterMs: 3_600_000 } });
    aJob({ activeDeadlineSeconds: 30 });
    await fake.advance(32_000);
    expect(ended(jobs()[0])).toEqual(["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
  });
});

describe("a cron job", () => {
  test("runs at its times, and keeps as many jobs as it says", async () => {
    aCron({ successfulJobsHistoryLimit: 2 });
    await fake.advance(181_000);
    expect(jobs().map(({ metadata }) => metadata.annotations)).toEqual([
      { "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-29T08:05:00Z" },
    ]);
    await fake.advance(3_600_000);
    expect(jobs()).toHaveLength(2);
    const [cron] = fake.client.list("batch/v1", "CronJob", "default");
    expect(cron?.["status"]).toMatchObject({
      lastScheduleTime: "2026-11-29T09:05:00Z",
      lastSuccessfulTime: "2026-11-29T09:05:00Z",
    });
  });

  test("never runs twice at once when it must not", async () => {
    fake.pods.script({ image: "job:1" }, { exit: { code: 0, afterMs: 480_000 } });
    aCron();
    await fake.advance(600_000);
    expect(jobs()).toHaveLength(1);
    expect(fake.client.list("v1", "Event", "default").map((event) => event["reason"])).toContain(
      "JobAlreadyActive",
    );
    // The time that was missed is made up for when the run before has ended.
    await fake.advance(120_000);
    expect(jobs()).toHaveLength(2);
  });

  test("that is suspended does not run", async () => {
    aCron({ suspend: true });
    await fake.advance(3_600_000);
    expect(jobs()).toEqual([]);
  });
});
