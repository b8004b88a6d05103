import type { DesiredService } from "@starform/contract/clusters";
import { until as untilWithin } from "@starform/std/retry";
import { steppedClock } from "@starform/testkit/kubernetes/clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kinds, openKubeRig, type KubeRig } from "./cluster-rig.ts";

const until: typeof untilWithin = (what, look) => untilWithin(what, look, { withinMs: 60_000 });
let rig: KubeRig;
beforeAll(async () => {
  rig = await openKubeRig({ isFake: true, clock: steppedClock(new Date("2026-11-29T08:00:00Z")) });
});
afterAll(() => rig[Symbol.asyncDispose]());

const probe = { kind: "http", path: "/healthz", timeout_seconds: 60 } as const;
const none = { kind: "none", timeout_seconds: 60 } as const;
/** A service on whose port nothing listens, until that is undone. */
function silent(letter: string) {
  const image = `registry.example.com/shop/web@sha256:${letter.repeat(64)}`;
  const listens = rig.fake!.pods.script(
    { image },
    { probeError: 'Get "http://10.0.0.1:8080/healthz": dial tcp 10.0.0.1:8080: connect: connection refused' },
  );
  const probes = { startup: probe, readiness: none, liveness: none };
  return { service: rig.service({ image, probes }), listens };
}

test(
  "that nothing listens is no reason while a start takes its time, and is told within 15 s where it does not listen",
  { timeout: 300_000 },
  async () => {
    await using shuttle = await rig.shuttle();
    const [slow, never] = [silent("a"), silent("b")];
    const reasonOf = (service: DesiredService) => shuttle.report(service)?.reason ?? null;
    for (const { service } of [slow, never]) shuttle.hand.want(service);
    const startedMs = await until("its container runs", async () => {
      await rig.fake!.advance(100);
      const [pod] = await rig.of(kinds.pod, never.service);
      return /"startedAt":"([^"]+)"/.exec(JSON.stringify(pod?.["status"] ?? {}))?.[1];
    }).then(Date.parse);
    const again = () => shuttle.cluster.apply(never.service, 1, new AbortController().signal);
    await until("it is known that nothing listens, and looked at again", async () => {
      await rig.fake!.advance(500);
      return again();
    });
    const told: (string | null)[] = [];
    while (rig.nowMs() < startedMs + 9_000) {
      told.push(reasonOf(slow.service), reasonOf(never.service));
      if (rig.nowMs() > startedMs + 6_000) slow.listens();
      await rig.fake!.advance(500);
    }
    expect(told.length).toBeGreaterThan(8);
    expect(new Set(told)).toEqual(new Set([null]));
    const rest = (await again())!.inMs;
    expect(rig.nowMs() + rest - startedMs).toBeLessThanOrEqual(15_000);
    await rig.fake!.advance(rest);
    expect(reasonOf(never.service)).toBe(
      "not ready yet: nothing listens on port 8080: listen on the port in PORT",
    );
    await shuttle.hand.reaches(slow.service, "running");
    expect(reasonOf(slow.service)).toBeNull();
  },
);
