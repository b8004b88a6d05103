import { until } from "@starform/std/retry";
import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { requireRegistryInCi } from "@starform/testkit/docker-registry";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openJobRunner } from "../src/adapters/postgres/job-runner.ts";
import { aBuild, built, imageOf } from "./a-build.ts";
import { openRemoteBuilder, type RemoteBuilderUnderTest } from "./remote-builder.ts";

const large = "head -c 30000000 /dev/urandom > large";
const keepGb = 0.07;

describe.runIf(requireEngineInCi() && requireRegistryInCi())(
  "the cache of a builder elsewhere",
  { timeout: 180_000 },
  () => {
    let under: RemoteBuilderUnderTest;
    beforeAll(async () => {
      under = await openRemoteBuilder("buildkit", { cacheGb: keepGb });
    }, 180_000);
    afterAll(() => under?.[Symbol.asyncDispose]());

    /** The queue as the Worker opens it, on a clock that is a moment before the minute. It never runs a minute again. */
    async function openQueueBefore(minute: number, hoursAgo: number) {
      const now = new Date(Date.now() - hoursAgo * 3_600_000).setUTCMinutes(minute - 1, 59, 0);
      vi.useFakeTimers({ toFake: ["Date"], shouldAdvanceTime: true, now });
      const ran: string[] = [];
      const crons = under.crons.map((cron) => ({
        ...cron,
        run: async (signal: AbortSignal) => {
          await cron.run(signal);
          ran.push(cron.name);
        },
      }));
      const runner = await openJobRunner({
        url: under.databaseUrl,
        handlers: [],
        crons,
        concurrency: 2,
        logger: pino({ level: "error" }),
      });
      return {
        ran,
        async [Symbol.asyncDispose]() {
          await runner[Symbol.asyncDispose]();
          vi.useRealTimers();
        },
      };
    }

    test("is left alone at any other time", async () => {
      await using queue = await openQueueBefore(22, 4);
      await until("the minute's jobs ran", () => queue.ran.includes("builders.tend"), { withinMs: 30_000 });
      expect(queue.ran).not.toContain("builders.prune");
    });

    test("is pruned each hour to its size, but not of what a build that runs needs, and no image is lost", async () => {
      const image = await imageOf(under.builds, await aBuild(under, [large, "echo kept > kept.txt"]));
      for (let round = 0; round < 3; round += 1) await imageOf(under.builds, await aBuild(under, [large]));
      const long = await aBuild(under, [large, "echo begun; sleep 15; cat large > copy && echo whole"]);
      await under.builds.submitBuild(long);
      for await (const { text } of under.builds.streamLogs(long, AbortSignal.timeout(60_000)))
        if (text === "begun") break;
      const before = await under.cacheBytes();
      expect(before).toBeGreaterThan(100_000_000);
      {
        await using queue = await openQueueBefore(23, 3);
        await until("it was pruned", () => queue.ran.includes("builders.prune"), { withinMs: 30_000 });
      }
      expect(await under.builds.getBuildStatus(long)).toEqual({ state: "running" });
      expect(await under.cacheBytes()).toBeLessThan(before);
      const { status, text } = await built(under.builds, long);
      expect(status.state).toBe("succeeded");
      expect(text).toContain("whole");
      expect(await under.fileOf(image, "kept.txt")).toBe("kept\n");

      {
        await using queue = await openQueueBefore(23, 2);
        await until("it was pruned again", () => queue.ran.includes("builders.prune"), { withinMs: 30_000 });
      }
      expect(await under.cacheBytes()).toBeLessThan(keepGb * 1e9);
      expect(await under.fileOf(image, "kept.txt")).toBe("kept\n");
    });
  },
);
