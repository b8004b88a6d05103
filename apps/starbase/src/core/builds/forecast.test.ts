import fc from "fast-check";
import { expect, test } from "vitest";
import type { QueuedBuild } from "./build-queue.ts";
import { nextBuild } from "./fair-order.ts";
import { forecast } from "./forecast.ts";

const startMs = Date.parse("2026-01-01T00:00:00Z");
const minuteMs = 60_000;
const now = new Date(startMs);
const at = (ms: number): Date => new Date(startMs + ms);

function build(name: string, more: Partial<QueuedBuild> = {}): QueuedBuild {
  return {
    deploymentId: name,
    workspaceId: `workspace of ${name}`,
    plan: "scale",
    serviceId: name,
    environmentId: "production",
    isProtected: true,
    isEphemeral: false,
    enqueuedAt: at(-minuteMs),
    readyAt: at(-minuteMs),
    ticket: null,
    claimedAt: null,
    ...more,
  };
}
const running = (name: string, sinceMs: number, more: Partial<QueuedBuild> = {}) =>
  build(name, { ticket: `ticket of ${name}`, claimedAt: at(-sinceMs), ...more });
const inMinutes = (queue: readonly QueuedBuild[], tookMinutes: Record<string, number[]>) => {
  const took = new Map(
    Object.entries(tookMinutes).map(([name, minutes]) => [name, minutes.map((one) => one * minuteMs)]),
  );
  return Object.fromEntries(
    [...forecast(queue, took, now)].map(([name, begins]) => [name, (begins.getTime() - startMs) / minuteMs]),
  );
};

test("each begins when enough of those before it have ended", () => {
  const first = build("first", { enqueuedAt: at(-3 * minuteMs) });
  const second = build("second", { enqueuedAt: at(-2 * minuteMs) });
  const queue = [running("a", minuteMs), running("b", 2 * minuteMs), first, second, build("third")];
  expect(inMinutes(queue, { a: [4, 4, 5], b: [7], first: [1], second: [9] })).toEqual({
    first: 3,
    second: 4,
    third: 5,
  });
});

test("who waits for its workspace, or for its service, begins after that one's build, though builders are free before", () => {
  const workspace = { workspaceId: "w", plan: "trial" } as const;
  const queue = [
    running("own", 0, workspace),
    running("else", 0),
    build("blocked", workspace),
    build("same", { serviceId: "else", workspaceId: "workspace of else" }),
  ];
  expect(inMinutes(queue, { own: [10], else: [2], blocked: [1] })).toEqual({ same: 2, blocked: 10 });
});

test("what a build usually takes is asked of those that took longer than it has", () => {
  const queue = [running("a", 3 * minuteMs), build("next")];
  expect(inMinutes(queue, { a: [1, 2, 8, 10, 12] })).toEqual({ next: 7 });
});

test.each([
  ["has run longer than any before", { a: [1, 2] }],
  ["is the first of its workspace", {}],
])("nobody is told when, behind one that %s", (_why, took: Record<string, number[]>) => {
  expect(inMinutes([running("a", 3 * minuteMs), build("next")], took)).toEqual({});
});

test("who has just got in line while nobody else waits is not told to wait: there may be a free builder", () => {
  expect(inMinutes([running("a", 0), build("new", { readyAt: now })], { a: [5] })).toEqual({ new: 0 });
  expect(inMinutes([build("only")], {})).toEqual({ only: 0 });
});

test("a push that may yet be replaced begins no sooner than it may", () => {
  const queue = [running("a", 0), build("pushed", { readyAt: at(2 * minuteMs) })];
  expect(inMinutes(queue, { a: [1] })).toEqual({ pushed: 2 });
});

test("the line of a busy installation is not played to its end", () => {
  const many = Array.from({ length: 500 }, (_, i) => build(`waits ${i}`));
  const took = new Map(many.map(({ serviceId }) => [serviceId, [minuteMs]]));
  expect(forecast([running("a", 0), ...many], took.set("a", [minuteMs]), now).size).toBe(50);
});

test("where builds take what they usually do, each begins when it was foreseen", () => {
  const builds = fc.array(
    fc.record({
      workspace: fc.nat(3),
      plan: fc.constantFrom("trial", "hobby", "scale"),
      service: fc.nat(6),
      isProtected: fc.boolean(),
      isEphemeral: fc.boolean(),
      enqueuedMs: fc.integer({ min: -20 * minuteMs, max: -2_000 }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  const plans = ["trial", "hobby", "scale", "scale"] as const;
  fc.assert(
    fc.property(
      builds,
      fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 7, maxLength: 7 }),
      fc.integer({ min: 1, max: 3 }),
      (drawn, seconds, builders) => {
        const took = new Map(seconds.map((one, i) => [`s${i}`, [one * 1_000]]));
        let queue = drawn.map((one, i) =>
          build(`d${String(i).padStart(2, "0")}`, {
            workspaceId: `w${one.workspace}`,
            plan: plans[one.workspace]!,
            serviceId: `s${one.service}`,
            environmentId: `w${one.workspace}`,
            isProtected: one.isProtected,
            isEphemeral: one.isEphemeral,
            enqueuedAt: at(one.enqueuedMs),
            readyAt: at(one.enqueuedMs),
          }),
        );
        // What builders do: second by second, who ends and who begins.
        const began = new Map<string, number>();
        let foreseen: Map<string, Date> | undefined;
        for (let ms = 0; queue.length > 0; ms += 1_000) {
          queue = queue.filter(
            ({ claimedAt, serviceId }) =>
              !claimedAt || at(ms).getTime() < claimedAt.getTime() + took.get(serviceId)![0]!,
          );
          for (;;) {
            const isFree = queue.filter(({ ticket }) => ticket).length < builders;
            const next = isFree ? nextBuild(queue, at(ms)) : undefined;
            if (!next) break;
            if (foreseen) began.set(next.deploymentId, ms);
            queue = queue.map((one) => (one === next ? { ...one, ticket: "t", claimedAt: at(ms) } : one));
          }
          const isFull = queue.filter(({ ticket }) => ticket).length === builders;
          if (!foreseen && !isFull) return;
          foreseen ??= forecast(queue, took, now);
        }
        expect(
          Object.fromEntries([...foreseen!].map(([id, date]) => [id, date.getTime() - startMs])),
        ).toEqual(Object.fromEntries(began));
      },
    ),
  );
});
