import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { until } from "@starform/std/retry";
import { expect, test } from "vitest";
import { aService } from "../../../test/desired.ts";
import { attendInstance } from "./attend-instance.ts";
import type { Engine, Instance } from "./engine.ts";
import { localTimings } from "./local-timings.ts";

/** An address where nobody listens. */
async function aSilentAddress(): Promise<{ host: string; port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { host: "127.0.0.1", port };
}
const lost = { exitCode: null, signal: null, isOom: false, isLost: true };

test("an instance is not blamed for its silence while its engine is away or once it has ended, only while it runs", async () => {
  const instance: Instance = {
    id: "i",
    labels: {},
    port: 8080,
    address: await aSilentAddress(),
    door: null,
    startedAtMs: 0,
    exit: undefined,
  };
  const answers = {
    away: () => Promise.reject(new Error("the engine is away")),
    ended: () => Promise.resolve({ ...instance, exit: lost }),
    gone: () => Promise.resolve(undefined),
    runs: () => Promise.resolve(instance),
  };
  let now: keyof typeof answers = "away";
  const asked: string[] = [];
  const engine = { find: () => (asked.push(now), answers[now]()) } as unknown as Engine;
  const blamed: string[] = [];
  const events = {
    ready: () => undefined,
    lacks: () => undefined,
    timedOut: () => undefined,
    unhealthy: (reason: string) => void blamed.push(reason),
  };
  const ending = new AbortController();
  const timings = { ...localTimings, livenessEveryMs: 5 };
  const attending = attendInstance(
    { engine, timings },
    instance,
    aService({ image: "a" }),
    true,
    events,
    ending.signal,
  );
  for (const state of ["away", "ended", "gone"] as const) {
    now = state;
    await until(
      `the engine was asked while it is ${state}`,
      () => asked.filter((one) => one === state).length > 2,
    );
  }
  expect(blamed).toEqual([]);
  now = "runs";
  await attending;
  expect(blamed).toEqual([expect.stringMatching(/^failed \d+ health checks in a row/)]);
});
