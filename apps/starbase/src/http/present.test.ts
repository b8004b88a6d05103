import { expect, test } from "vitest";
import { presentDeployment } from "./present.ts";

type Seen = Parameters<typeof presentDeployment>[0];

test("a deployment over which the clock was put back took no negative time", () => {
  const seen = {
    stages: [],
    createdAt: new Date("2026-11-29T09:00:00Z"),
    endedAt: new Date("2026-11-29T08:00:00Z"),
  } as unknown as Seen;
  const urls = {} as Parameters<typeof presentDeployment>[1];
  const outlook = {} as Parameters<typeof presentDeployment>[2];
  expect(presentDeployment(seen, urls, outlook)).toMatchObject({
    durationMs: 0,
    endedAt: "2026-11-29T08:00:00.000Z",
  });
});
