import { BuilderLost } from "@starform/buildkit/builder-lost";
import type { BuiltImage } from "@starform/buildkit/built-image";
import { expect, test } from "vitest";
import { untilBuilt } from "./until-built.ts";

const image = { imageId: "sha256:1" } as BuiltImage;
const quick = { firstMs: 1, maxMs: 1 };

function aBuilder(losses: number) {
  const said: string[] = [];
  const over = new AbortController();
  const builder = {
    tried: 0,
    said,
    over,
    watch: { signal: over.signal, say: (text: string) => said.push(text) },
  };
  const build = async () => {
    builder.tried += 1;
    if (builder.tried <= losses) throw new BuilderLost("the builder went away");
    return image;
  };
  return Object.assign(builder, { build });
}

test("a builder that is started anew is waited for, and the log says so once", async () => {
  const { watch, build, said } = aBuilder(20);
  expect(await untilBuilt(watch, build, { ...quick, awayMaxMs: 60_000 })).toBe(image);
  expect(said).toEqual(["the builder went away; the build starts anew once it answers"]);
});

test("one that is away for longer fails the build, but not before the third time", async () => {
  const builder = aBuilder(Infinity);
  const building = untilBuilt(builder.watch, builder.build, { ...quick, awayMaxMs: 0 });
  await expect(building).rejects.toThrow(BuilderLost);
  expect(builder.tried).toBe(3);
});

test("nobody waits for a builder of a build that is cancelled", async () => {
  const { watch, over } = aBuilder(0);
  const build = async () => {
    over.abort();
    throw new BuilderLost("the builder went away");
  };
  await expect(untilBuilt(watch, build, { ...quick, awayMaxMs: 60_000 })).rejects.toThrow(BuilderLost);
});

test("what is at fault itself fails at once", async () => {
  const { watch } = aBuilder(0);
  await expect(untilBuilt(watch, () => Promise.reject(new Error("a step failed")))).rejects.toThrow("a step");
});
