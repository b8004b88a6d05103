import { fileURLToPath } from "node:url";
import { planSource } from "@starform/build-plan/plan-source";
import { expect, test } from "vitest";
import { imageTraitsOf } from "./image-traits.ts";

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../../../examples/${name}`, import.meta.url));
const traitsOf = async (name: string, options = {}, hasShell = false) => {
  const outcome = await planSource(example(name), options);
  expect(outcome.ok).toBe(true);
  return imageTraitsOf(outcome, { hasShell });
};

test.each(["static", "vite-react"])(
  "the image of %s writes nothing: our own server serves it",
  async (name) => {
    expect(await traitsOf(name)).toEqual({ hasReadOnlyRoot: true, hasShell: true });
  },
);

test.each(["express", "python"])("of the image of %s nobody knows what it writes", async (name) => {
  expect(await traitsOf(name)).toEqual({ hasShell: true });
});

test("of a Dockerfile's image is known what its builder has seen", async () => {
  expect(await traitsOf("dockerfile")).toEqual({});
  expect(await traitsOf("dockerfile", {}, true)).toEqual({ hasShell: true });
});

test("a start command that does more than serve is not known either", async () => {
  const variables = { RAILPACK_START_CMD: "node .starform/serve.mjs . && date > now" };
  expect(await traitsOf("static", { variables })).toEqual({ hasShell: true });
});
