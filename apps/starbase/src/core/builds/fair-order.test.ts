import { buildAllowances, type Plan } from "@starform/contract/plans";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { QueuedBuild } from "./build-queue.ts";
import { lineOf, nextBuild, patienceMs } from "./fair-order.ts";

const startMs = Date.parse("2026-01-01T00:00:00Z");
const minute = 60_000;
const at = (ms: number): Date => new Date(startMs + ms);

let made = 0;
function aBuild(more: Partial<QueuedBuild> & { enqueuedMs?: number } = {}): QueuedBuild {
  const { enqueuedMs = 0, ...fields } = more;
  const id = `d${String(++made).padStart(6, "0")}`;
  return {
    deploymentId: id,
    workspaceId: "w1",
    plan: "scale",
    serviceId: id,
    environmentId: "e",
    isProtected: true,
    isEphemeral: false,
    enqueuedAt: at(enqueuedMs),
    readyAt: at(enqueuedMs),
    ticket: null,
    claimedAt: null,
    ...fields,
  };
}
const preview = { isProtected: false, isEphemeral: true };
const idsOf = (queue: readonly QueuedBuild[], now: Date) =>
  lineOf(queue, now).map(({ build }) => build.deploymentId);

describe("whose turn it is", () => {
  test("protected environments come before other lasting ones, those before previews", () => {
    const [third, second, first] = [
      aBuild(preview),
      aBuild({ isProtected: false, enqueuedMs: 1 }),
      aBuild({ enqueuedMs: 2 }),
    ];
    expect(idsOf([third, second, first], at(3))).toEqual(
      [first, second, third].map(({ deploymentId }) => deploymentId),
    );
  });

  test("a preview that has waited out its patience comes before a younger production build", () => {
    const [old, young] = [aBuild(preview), aBuild({ enqueuedMs: patienceMs.preview + 1 })];
    expect(nextBuild([young, old], at(patienceMs.preview + 2))).toBe(old);
  });

  test("a workspace with a long line and one with a single build take turns", () => {
    const many = Array.from({ length: 3 }, (_, i) => aBuild({ enqueuedMs: i }));
    const one = aBuild({ workspaceId: "w2", enqueuedMs: 10 * minute });
    expect(idsOf([...many, one], at(11 * minute))).toEqual(
      [many[0]!, one, many[1]!, many[2]!].map(({ deploymentId }) => deploymentId),
    );
  });

  test.each([
    ["workspace", aBuild({ plan: "trial" }), aBuild({ plan: "trial", ticket: "t" })],
    ["service", aBuild({ serviceId: "s" }), aBuild({ serviceId: "s", ticket: "t" })],
    ["quiet", aBuild({ readyAt: at(5_000) }), aBuild({ ticket: "t" })],
    ["turn", aBuild(), aBuild({ ticket: "t" })],
  ])("says that it waits for: %s", (waitsFor, waiting, running) => {
    expect(lineOf([waiting, running], at(1))).toEqual([{ build: waiting, waitsFor, place: 1 }]);
    expect(nextBuild([waiting, running], at(1))).toBe(waitsFor === "turn" ? waiting : undefined);
  });

  test("what is held back by its own service holds up nobody behind it", () => {
    const busy = aBuild({ serviceId: "s", ticket: "t" });
    const [held, free] = [aBuild({ serviceId: "s" }), aBuild({ ...preview, enqueuedMs: 1 })];
    expect(nextBuild([busy, held, free], at(2))).toBe(free);
  });
});

/** What comes when, how long it takes: a schedule of minutes. */
const arrival = fc.record({
  atMs: fc.integer({ min: 0, max: 60 * minute }),
  tookMs: fc.integer({ min: 1_000, max: 20 * minute }),
  workspace: fc.integer({ min: 0, max: 4 }),
  service: fc.integer({ min: 0, max: 3 }),
  kind: fc.constantFrom("protected", "lasting", "preview"),
});
type Arrival = typeof arrival extends fc.Arbitrary<infer T> ? T : never;
const planOf = (workspace: number): Plan =>
  (["trial", "hobby", "pro", "scale", "hobby"] as const)[workspace]!;

type Running = { build: QueuedBuild; endsMs: number };
type Begun = { build: QueuedBuild; atMs: number; queue: readonly QueuedBuild[] };

/** Plays a schedule with so many builders to its end; answers what began, in order, with what was in line then. */
function play(arrivals: readonly Arrival[], builders: number): Begun[] {
  const coming = arrivals
    .map((one) => ({
      ...one,
      build: aBuild({
        workspaceId: `w${one.workspace}`,
        plan: planOf(one.workspace),
        serviceId: `s${one.workspace}.${one.service}`,
        environmentId: one.kind,
        isProtected: one.kind === "protected",
        isEphemeral: one.kind === "preview",
        enqueuedMs: one.atMs,
      }),
    }))
    .toSorted((a, b) => a.atMs - b.atMs);
  const tookMs = new Map(coming.map(({ build, tookMs: ms }) => [build.deploymentId, ms]));
  const [begun, waiting, running] = [[] as Begun[], [] as QueuedBuild[], [] as Running[]];
  let nowMs = 0;
  for (;;) {
    while (coming[0] && coming[0].atMs <= nowMs) waiting.push(coming.shift()!.build);
    for (const over of running.filter(({ endsMs }) => endsMs <= nowMs))
      running.splice(running.indexOf(over), 1);
    while (running.length < builders) {
      const queue = [...waiting, ...running.map(({ build }) => ({ ...build, ticket: build.deploymentId }))];
      const next = nextBuild(queue, at(nowMs));
      if (!next) break;
      begun.push({ build: next, atMs: nowMs, queue });
      waiting.splice(waiting.indexOf(next), 1);
      running.push({ build: next, endsMs: nowMs + tookMs.get(next.deploymentId)! });
    }
    const then = Math.min(...running.map(({ endsMs }) => endsMs), coming[0]?.atMs ?? Infinity);
    if (then === Infinity) break;
    nowMs = then;
  }
  return begun;
}

const rankOf = ({ isEphemeral, isProtected }: QueuedBuild) => (isEphemeral ? 2 : isProtected ? 0 : 1);
const dueMsOf = (build: QueuedBuild) =>
  build.enqueuedAt.getTime() -
  startMs +
  [patienceMs.protected, patienceMs.lasting, patienceMs.preview][rankOf(build)]!;

describe("over any schedule", () => {
  const schedules = [
    fc.array(arrival, { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 6 }),
  ] as const;
  /** A run that fails prints its seed; CI runs a new one each time. */
  const seed = Date.now() % 2 ** 31;
  const check = (property: (begun: Begun[], arrivals: readonly Arrival[]) => void) => {
    console.log(`seed ${seed}`);
    fc.assert(
      fc.property(...schedules, (arrivals, builders) => property(play(arrivals, builders), arrivals)),
      { seed, numRuns: 200 },
    );
  };

  test("everything that came is built, once", () => {
    check((begun, arrivals) => {
      expect(begun).toHaveLength(arrivals.length);
      expect(new Set(begun.map(({ build }) => build.deploymentId)).size).toBe(arrivals.length);
    });
  });

  test("no workspace builds more at once than its plan allows, and no service twice at once in an environment", () => {
    check((begun) => {
      for (const { build, queue } of begun) {
        const busy = queue.filter(({ ticket }) => ticket !== null);
        const own = busy.filter(({ workspaceId }) => workspaceId === build.workspaceId);
        expect(own.length).toBeLessThan(buildAllowances[build.plan].atOnceMax);
        expect(
          own.some((one) => one.serviceId === build.serviceId && one.environmentId === build.environmentId),
        ).toBe(false);
      }
    });
  });

  test("nothing of a worse class begins before what could have begun and is of a better one, unless it has waited out its patience", () => {
    check((begun) => {
      for (const { build, atMs, queue } of begun) {
        if (dueMsOf(build) <= atMs) continue;
        const couldBegin = lineOf(queue, at(atMs)).filter(({ waitsFor }) => waitsFor === "turn");
        for (const other of couldBegin) expect(rankOf(other.build)).toBeGreaterThanOrEqual(rankOf(build));
      }
    });
  });

  test("a build whose patience is over gives way to nothing that came after that, but for its own workspace's running builds", () => {
    check((begun) => {
      for (const { build, atMs, queue } of begun)
        for (const { build: other, waitsFor } of lineOf(queue, at(atMs))) {
          const isIdle = !queue.some(
            ({ ticket, workspaceId }) => ticket !== null && workspaceId === other.workspaceId,
          );
          if (waitsFor !== "turn" || dueMsOf(other) > atMs || !isIdle) continue;
          expect(dueMsOf(build)).toBeLessThanOrEqual(dueMsOf(other));
        }
    });
  });
});

test.each([
  ["other workspaces push", 0],
  ["its own workspace pushes", 3],
])(
  "an old preview is built although %s to production without end, more than can be built",
  (_, workspace) => {
    const tookMs = minute;
    const stream = Array.from({ length: 400 }, (_unused, i): Arrival => ({
      atMs: i * 15_000,
      tookMs,
      workspace: 3,
      service: i,
      kind: "protected",
    }));
    const old: Arrival = { atMs: minute, tookMs, workspace, service: 999, kind: "preview" };
    const { atMs } = play([...stream, old], 2).find(({ build }) => build.isEphemeral)!;
    expect(atMs).toBeGreaterThanOrEqual(minute + patienceMs.preview);
    // Twice as many come as are built: those of before its patience was over are half built by then.
    expect(atMs).toBeLessThanOrEqual(3 * (minute + patienceMs.preview));
  },
);
