import { fileURLToPath } from "node:url";
import { planSource } from "@starform/build-plan/plan-source";
import { expect, test } from "vitest";
import { imageTraitsOf } from "./image-traits.ts";

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../../../examples/${name}`, import.meta.url));
const traitsOf = async (name: string, options = {}) => {
  const outcome = await planSource(example(name), options);
  expect(outcome.ok).toBe(true);
  return imageTraitsOf(outcome);
};

test.each(["static", "vite-react"])(
  "the image of %s writes nothing: our own server serves it",
  async (name) => {
    expect(await traitsOf(name)).toEqual({ hasReadOnlyRoot: true });
  },
);

test.each(["express", "dockerfile", "python"])(
  "of the image of %s nobody knows what it writes",
  async (name) => {
    expect(await traitsOf(name)).toEqual({});
  },
);

test("a start command that does more than serve is not known either", async () => {
  const variables = { RAILPACK_START_CMD: "node .starform/serve.mjs . && date > now" };
  expect(await traitsOf("static", { variables })).toEqual({});
});
