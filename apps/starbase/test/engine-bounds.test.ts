import { buildAllowances } from "@starform/contract/plans";
import { requireEngineInCi } from "@starform/testkit/docker-engine";
import { hasWayOut } from "@starform/testkit/way-out";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildLimits } from "../src/ports/build-service.ts";
import { aBuild, built, type BuilderUnderTest } from "./build-service.contract.ts";
import { openBuildkitBuilder } from "./buildkit-builder.ts";

describe.skipIf(!requireEngineInCi())("a build in an engine of our own ends with the limit it met", () => {
  let under: BuilderUnderTest;
  beforeAll(async () => {
    under = await openBuildkitBuilder();
  });
  afterAll(() => under?.[Symbol.asyncDispose]());

  async function endOf(limits: Partial<BuildLimits>, command: string): Promise<string> {
    const spec = await aBuild(under, [command], { limits: { ...buildAllowances.hobby, ...limits } });
    const { status } = await built(under.builds, spec);
    expect(status.state !== "failed" || hasWayOut(status.reason.split("\n")[0]!)).toBe(true);
    return status.state === "failed" ? status.reason : status.state;
  }
  const eatsMemory = "node -e 'const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1))'";
  const forksWithoutEnd = "f() { f | f & }; f; sleep 600";

  test("one that eats memory", { timeout: 120_000 }, async () => {
    expect(await endOf({ memoryBytesMax: 100 * 2 ** 20 }, eatsMemory)).toContain(
      "ran out of memory: a build may use 100 MiB",
    );
  });

  test("one that forks without end, while another builds beside it", { timeout: 120_000 }, async () => {
    const [bomb, good] = await Promise.all([
      endOf({ processesMax: 60 }, forksWithoutEnd),
      endOf({ processesMax: 60 }, "for i in 1 2 3 4 5 6 7 8 9 10; do sh -c 'sleep 0.3'; done"),
    ]);
    expect(bomb).toContain("more than 60 processes");
    expect(good).toBe("succeeded");
  });

  test("one that fills the disk", { timeout: 120_000 }, async () => {
    expect(
      await endOf(
        { diskBytesMax: 40 * 2 ** 20 },
        "while true; do head -c 20000000 /dev/zero >> fill; sleep 0.1; done",
      ),
    ).toContain("wrote more than 40 MiB to disk");
  });

  test("one that keeps within its limits after all of them", { timeout: 120_000 }, async () => {
    expect(await endOf({ memoryBytesMax: 300 * 2 ** 20, processesMax: 60 }, "node -e 'console.log(1)'")).toBe(
      "succeeded",
    );
  });
});
