import { isDeepStrictEqual } from "node:util";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { openFakeKubernetes } from "@starform/testkit/kubernetes/open-fake-kubernetes";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAnswering, type Answering } from "./answering.ts";
import { anyRequests } from "./any-requests.ts";
import { chapters } from "./chapters/all.ts";
import { openKnownDifferences } from "./known-differences.ts";
import { play, type Played } from "./play.ts";
import { recordedOf } from "./recorded.ts";

const seed = Number(process.env["FC_SEED"] ?? Date.now() % 2 ** 31);
const kubeconfigFile = process.env["TEST_KUBECONFIG"];
let fake: Answering;
let stack: AsyncDisposableStack;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const server = stack.use(await openFakeKubernetes({ nodes: [], hasGatewayController: false }));
  fake = stack.use(await openAnswering({ kubeconfig: server.kubeconfig() }));
});
afterAll(() => stack.disposeAsync());

const known = openKnownDifferences();

describe("the fake answers as a kube-apiserver v1.36.2 did", () => {
  test.each(chapters)("$title", async (chapter) => {
    const recorded = recordedOf(chapter.title);
    const ours = await play(chapter, fake);
    expect(ours.map(({ asked }) => asked)).toEqual(recorded.map(({ asked }) => asked));
    const pairs = ours.map((one, at) => ({ at, ours: one, theirs: recorded[at]! }));
    const isKnown = ({ at, ours: { asked } }: (typeof pairs)[number]) =>
      known.has({ chapter: chapter.title, at, asked });
    const must = pairs.filter((pair) => !isKnown(pair));
    expect(must.map((pair) => pair.ours)).toEqual(must.map((pair) => pair.theirs));
    // What was mended is struck from the list.
    const mended = pairs.filter((pair) => isKnown(pair) && isDeepStrictEqual(pair.ours, pair.theirs));
    expect(mended.map(({ ours: { asked } }) => asked)).toEqual([]);
  });
});

/** The fake warns of less than the server does. */
const withoutWarnings = ({ asked, answer }: Played) => {
  const { warnings: _, ...rest } = answer as { warnings?: unknown };
  return { asked, answer: rest };
};

/** Words and defaults are of a version; another one is another server. */
const skipped = await (async () => {
  if (!kubeconfigFile) return "TEST_KUBECONFIG names no server";
  // It hunts for differences that nobody knows yet, and still finds some: a search, not a gate.
  if (!process.env["FC_RUNS"]) return "FC_RUNS says how many sequences are to be played on both";
  await using api = await openKubeApi({ kubeconfigFile });
  const version = await api.version();
  return version.startsWith("v1.36.") ? undefined : `the fake is a v1.36, and the server is ${version}`;
})();

describe.skipIf(skipped !== undefined)(
  `the fake answers as the real server does${skipped ? `: ${skipped}` : ""}`,
  () => {
    test(`whatever is asked in any order (seed ${seed})`, { timeout: 300_000 }, async () => {
      using real = await openAnswering({ kubeconfigFile: kubeconfigFile! });
      await fc.assert(
        fc.asyncProperty(anyRequests, async (requests) => {
          const chapter = { title: "any", requests };
          const played = async (server: Answering) => (await play(chapter, server)).map(withoutWarnings);
          expect(await played(fake)).toEqual(await played(real));
        }),
        { seed, numRuns: Number(process.env["FC_RUNS"]), endOnFailure: false },
      );
    });
  },
);
